"""The conversation of an arm process whose release asks a model elsewhere: many questions under way at once."""

import asyncio
import sys
import time
from functools import partial

from flyball.adapters.clock import SystemClock
from flyball.core.prediction import ArmReply, Asking, Failure
from flyball.serving.frames import LENGTH, Hello, NoReply, Question, Reply, given, packed, unpacked
from flyball.serving.serve.answering.remote_arm import RemoteArm
from flyball.serving.serve.journal import Journal

PATIENCE_S = 60.0  # with a question that has no deadline


async def converse(asking: Asking, path: str) -> None:
    """Say that it is ready, then answer until the other side is gone, in the order in which answers come."""
    reader, writer = await asyncio.open_unix_connection(path)
    clock = SystemClock()
    arm = RemoteArm(asking, clock, Journal(sys.stderr.write, clock.now).complain)

    def tell(number: int, reply: ArmReply | Failure) -> None:
        if isinstance(reply, Failure):
            writer.write(packed(NoReply(number, reply.reason, reply.message)))
        else:
            writer.write(packed(Reply(number, [given(each) for each in reply.answers], reply.service_ms)))

    writer.write(packed(Hello(asking.release)))
    while (question := await _read(reader)) is not None:
        until = time.monotonic() + PATIENCE_S if question.until is None else question.until
        arm.ask(question.rows, partial(tell, question.number), until)


async def _read(reader: asyncio.StreamReader) -> Question | None:
    try:
        head = await reader.readexactly(LENGTH.size)
        message = unpacked(await reader.readexactly(LENGTH.unpack(head)[0]))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return message if isinstance(message, Question) else None
