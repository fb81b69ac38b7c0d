"""How a gateway ends: no new connection from the first moment on, and both doors finish what they have together."""

import asyncio
import os
import signal
from typing import Any

import pytest
from tests.serving.serve.http.test_door import door_of
from tests.serving.stage import PATIENCE_S

from flyball.serving.serve.http.server import bound, serve


class Beside:
    """Another door that has a call under way until it is told."""

    def __init__(self) -> None:
        self.stopping, self.goes_on = asyncio.Event(), asyncio.Event()

    async def start(self, application: Any) -> None:
        return

    async def stop(self) -> None:
        self.stopping.set()
        await self.goes_on.wait()


def test_a_call_under_way_keeps_no_other_door_open_and_is_answered_before_the_end() -> None:
    async def story() -> None:
        beside, ready, ended = Beside(), asyncio.Event(), asyncio.Event()
        listener = bound("127.0.0.1", 0)
        port = listener.getsockname()[1]
        door = door_of({}, [])

        async def stop() -> None:
            ended.set()

        door._stop = stop
        serving = asyncio.create_task(serve(door, listener, ready.set, beside=beside))
        async with asyncio.timeout(PATIENCE_S):
            await ready.wait()
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            os.kill(os.getpid(), signal.SIGTERM)
            await beside.stopping.wait()
            await asyncio.sleep(0.05)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
            assert not ended.is_set()
            beside.goes_on.set()
            await serving
        assert ended.is_set()

    asyncio.run(story())
