"""The local socket by which the controller gives orders. One JSON line asks, one JSON line answers.

The socket lies in the home, whose folder only its owner may enter: who reaches it may give orders.
"""

import asyncio
import contextlib
import os
from pathlib import Path
from typing import assert_never

import msgspec
from msgspec.structs import replace

from flyball.core.control import Apply, Asked, Done, Observe, Recycle, Refusal, Request
from flyball.core.errors import FlyballError
from flyball.serving.serve.workers.supervisor import Supervisor

_LIMIT = 4 * 1024 * 1024


class Control:
    """The server side; `adapters.gateway_socket` is the other."""

    def __init__(self, path: Path, supervisor: Supervisor, owner: str = "") -> None:
        """`owner`: name of whoever starts this gateway again by itself."""
        self._path, self._supervisor = path, supervisor
        self._life, self._owner = os.urandom(8).hex(), owner
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Take the place of a socket that a killed process left."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # by way of the open folder: a socket's own path may have no more than 108 bytes
            short = f"/proc/self/fd/{folder}/{self._path.name}"
            with contextlib.suppress(FileNotFoundError):
                os.unlink(short)
            self._server = await asyncio.start_unix_server(self._serve, short, limit=_LIMIT)
            os.chmod(short, 0o600)
        finally:
            os.close(folder)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(msgspec.json.encode(await self._answer(line)) + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            return  # the controller has gone, or sent a line without end
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> Asked:
        try:
            request: Request = msgspec.json.decode(line, type=Request)
            match request:
                case Apply(key=key, routing=routing):
                    await self._supervisor.apply(key, routing)
                    return Done()
                case Recycle(key=key, service=service, epoch=epoch):
                    self._supervisor.recycle(key, service, epoch)
                    return Done()
                case Observe(service=service):
                    observed = self._supervisor.observe(service)
                    alone = self._supervisor.renew is None
                    return Done(observed=replace(observed, life=self._life, owner=self._owner, alone=alone))
                case _:
                    assert_never(request)
        except (FlyballError, msgspec.DecodeError) as error:
            return Refusal(kind=type(error).__name__, message=str(error))
        except Exception as error:  # a release whose code fails when it is loaded: the order is refused, we go on
            return Refusal(kind="Unavailable", message=f"{type(error).__name__}: {error}")
