"""An arm process: one release, one connection, one question after the other; many at once where its model is elsewhere.

    python -m flyball.app.wiring.processes.arm --release FOLDER --socket PATH [--root DIGEST]

The gateway listens on PATH; the arm connects once its release is loaded and warm, so the connection is the readiness.
It ends when the gateway closes the connection or dies. The folder was verified by the gateway just before. A release
that it refuses to load is one line on standard error; the gateway, which sees it end, tries again.
"""

import argparse
import asyncio
import contextlib
import ctypes
import importlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from flyball.adapters.clock import SystemClock
from flyball.adapters.remote_asking import asking
from flyball.core.declared.serving import Filter
from flyball.core.errors import FlyballError
from flyball.core.prediction import ArmReply, Predictor
from flyball.serving.frames import LENGTH, Hello, NoReply, Question, Reply, given, packed, unpacked
from flyball.serving.serve.journal import Journal

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def main() -> None:
    """Load, connect, answer until the other side is gone. The exit code is that of what kept it from loading."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--release", required=True)
    parser.add_argument("--socket", required=True)
    parser.add_argument("--root", default="")
    parser.add_argument("--loader", default="flyball.adapters.models.predictor:load")
    parser.add_argument("--filters", default="[]", help="serving.filters that are functions, JSON")
    parser.add_argument("--once", action="store_true", help="a row is asked once, whatever fails")
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
    # on a shared core it does not push aside the gateway that has just asked it, and otherwise has its fair share
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C at the terminal is the gateway's to handle
    filters = msgspec.json.decode(options.filters, type=list[Filter])
    try:
        predictor = loader_of(options.loader)(options.release, release=options.root, once=options.once)
        predictor = behind(options.release, predictor, filters, once=options.once)
    except FlyballError as error:
        why = f"release {options.root} cannot be loaded: {error}" + (f" ({error.hint})" if error.hint else "")
        Journal(sys.stderr.write, SystemClock().now).complain(why)
        raise SystemExit(error.exit_code) from error
    if not options.once:
        warm(predictor)
    if (elsewhere := asking(predictor)) is not None:
        from flyball.app.wiring.processes.arm_elsewhere import (
            converse,  # an arm whose model is here needs no event loop
        )

        asyncio.run(converse(elsewhere, options.socket))
        return
    # the gateway has gone, perhaps while we were loading, and nobody waits for the answer
    with socket.socket(socket.AF_UNIX) as wire, contextlib.suppress(ConnectionError, FileNotFoundError):
        wire.connect(options.socket)
        wire.sendall(packed(Hello(predictor.release)))
        while (question := _read(wire)) is not None:
            late = question.until is not None and time.monotonic() > question.until
            wire.sendall(packed(_late(question.number) if late else answer(predictor, question)))


def _late(number: int) -> NoReply:
    return NoReply(number, "deadline", "it waited for the arm until its deadline")


def warm(predictor: Predictor) -> None:
    """One row without values: whatever it answers, imports and caches are in place afterwards."""
    try:
        predictor.predict([{}])
    except Exception:
        return  # a release may well have nothing to say about an empty row


def behind(folder: str, predictor: Predictor, filters: Sequence[Filter], *, once: bool = False) -> Predictor:
    """The predictor behind the filters that are functions of its release; most services have none, and import nothing.
    `once`: no row is asked again where one of them fails.

    Raises: Untrusted: the release has no such function.
    """
    if not any(one.function for one in filters):
        return predictor
    from flyball.adapters.models.screened import screened

    return screened(folder, predictor, filters, once=once)


def answer(predictor: Predictor, question: Question) -> Reply | NoReply:
    try:
        reply: ArmReply = predictor.predict(question.rows)
    except Exception as error:  # whatever the model raises is its failure, and the arm lives on
        return NoReply(question.number, "exception", f"{type(error).__name__}: {error}")
    return Reply(question.number, [given(each) for each in reply.answers], reply.service_ms)


def _read(wire: socket.socket) -> Question | None:
    head = _exactly(wire, LENGTH.size)
    body = head and _exactly(wire, LENGTH.unpack(head)[0])
    message = unpacked(body) if body else None
    return message if isinstance(message, Question) else None


def _exactly(wire: socket.socket, size: int) -> bytes:
    """So many bytes; none at all when the connection has ended."""
    parts = bytearray()
    while len(parts) < size:
        part = wire.recv(size - len(parts))
        if not part:
            return b""
        parts += part
    return bytes(parts)


def loader_of(loader: str) -> Callable[..., Any]:
    """`module:function` as the function, called with a folder, `release=` and `once=`."""
    module, _, name = loader.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
