"""An arm process: one release, one connection, one question after the other.

    python -m flyball.app.wiring.arm --release FOLDER --socket PATH [--root DIGEST]

The gateway listens on PATH; the arm connects once its release is loaded and warm, so the connection is the readiness.
It ends when the gateway closes the connection or dies. The folder was verified by the gateway just before.
"""

import argparse
import ctypes
import importlib
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

from flyball.core.prediction import ArmReply, Predictor
from flyball.serving.frames import LENGTH, Hello, NoReply, Question, Reply, given, packed, unpacked

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def main() -> None:
    """Load, connect, answer until the other side is gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--release", required=True)
    parser.add_argument("--socket", required=True)
    parser.add_argument("--root", default="")
    parser.add_argument("--loader", default="flyball.adapters.predictor:load")
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C at the terminal is the gateway's to handle
    predictor = loader_of(options.loader)(options.release, release=options.root)
    warm(predictor)
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(options.socket)
        wire.sendall(packed(Hello(predictor.release)))
        while (question := _read(wire)) is not None:
            wire.sendall(packed(answer(predictor, question)))


def warm(predictor: Predictor) -> None:
    """One row without values: whatever it answers, imports and caches are in place afterwards."""
    try:
        predictor.predict([{}])
    except Exception:
        return  # a release may well have nothing to say about an empty row


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
    """`module:function` as the function, called with a folder and `release=`."""
    module, _, name = loader.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
