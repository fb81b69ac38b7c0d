"""A running gateway with two releases, for clients that others wrote."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.serving.parts import CHAMPION, PREVIOUS, routing
from tests.serving.stage import Stage, stage


@contextlib.contextmanager
def shop(folder: Path, *, grpc_port: int | None = None) -> Iterator[Stage]:
    """Champion `aa01` answers 0.9, `cc03` 0.1; nothing is being rolled out."""
    with stage(folder) as made:
        made.grpc_port = grpc_port
        made.release(CHAMPION)
        made.release(PREVIOUS, score=0.1)
        made.start()
        made.control.apply("first", routing(candidate=None, rollout=None, guardrails=None, step=None))
        yield made
