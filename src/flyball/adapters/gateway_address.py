"""Where the gateway of a home answers: a small file in the home, for whoever looks after it from another process."""

import os
from pathlib import Path

import msgspec

from flyball.core.errors import Unavailable
from flyball.core.record import Record


class Address(Record):
    """As of the gateway's newest start; one that is gone leaves its address behind."""

    url: str
    pid: int  # of the process, or of the supervisor of its workers
    grpc: str | None = None  # host and port, where it serves gRPC too
    certificate: str | None = None  # file of the chain that it shows, PEM; None: no TLS, or the chain is in no file
    asks_certificate: bool = False  # of every client


def write_address(path: Path, address: Address) -> None:
    """In the place of the one before, whole or not at all. Raises: OSError."""
    new = path.with_name(path.name + ".new")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new.write_bytes(msgspec.json.encode(address))
    os.replace(new, path)


def read_address(path: Path) -> Address:
    """Raises: Unavailable: no gateway has been started here, or what it left cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Address)
    except FileNotFoundError as error:
        raise Unavailable("no gateway of this home has said where it answers") from error
    except (OSError, msgspec.DecodeError) as error:
        raise Unavailable(f"{path.name} cannot be read: {error}") from error
