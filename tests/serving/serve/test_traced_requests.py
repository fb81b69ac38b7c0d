"""What is noted for a traced request is noted for that one alone."""

import asyncio
from collections.abc import Mapping
from typing import Any

from flyball.adapters.clock import SystemClock
from flyball.serving.serve.traced import MOMENTS, Traced


class Trace:
    trace_id = ""

    def __init__(self, recorded: bool) -> None:
        self.recorded = recorded

    def context(self) -> Mapping[str, str]:
        return {}

    def end(self, *_: object, **__: object) -> None:
        return


class Firsts:
    """Records the first request and no other."""

    def __init__(self) -> None:
        self.begun = 0

    def begin(self, *_: object) -> Trace:
        self.begun += 1
        return Trace(self.begun == 1)


def test_a_request_behind_a_traced_one_on_the_same_connection_is_not_taken_for_it() -> None:
    seen: list[bool] = []

    async def door(_: Any, __: Any, send: Any) -> None:
        seen.append(MOMENTS.get() is not None)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ignored(*_: Any) -> Any:
        """The client does not look."""

    async def pipeline() -> None:
        traced = Traced(door, Firsts(), SystemClock(), ["shop"])  # type: ignore[arg-type]
        for _ in range(2):  # as the server does: the next one's task is made in the context of the one before it
            await traced({"type": "http", "method": "POST", "path": "/v1/labels", "headers": []}, ignored, ignored)

    asyncio.run(pipeline())
    assert seen == [True, False]
