"""A real PostgreSQL server on a Unix socket in a folder of its own, for tests of every folder.

Debian's own cluster, where there is one, is neither used nor touched.
"""

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pwd import getpwall, getpwnam
from typing import Any

import pytest

NAMES = itertools.count()
SUPERUSER = "flyball"
STARTS_S, STOPS_S = 60, 60
CLUSTER = ("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--wal-segsize=1")


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """The folder of its socket; it stops with the block, and everything it wrote is gone.

    `durable`: it waits for its disk. In tests nothing outlives the server, and none can cut the power.
    """
    pytest.importorskip("psycopg", reason="the extra postgres is not installed")
    programs = programs_of_a_server()
    if programs is None:
        pytest.skip("PostgreSQL's initdb is not there")
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="flyball-pg-"))  # short: a socket's path has 107 bytes
    if user is not None:
        shutil.chown(folder, user)
    data, control = folder / "data", programs / "pg_ctl"
    fsync = "on" if durable else "off"
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c shared_buffers=16MB -c fsync={fsync}"
    with _ended_with_us(user, control, folder):
        _run(user, programs / "initdb", "-D", data, "-U", SUPERUSER, *CLUSTER)
        _run(user, control, "start", "-D", data, "-w", "-t", STARTS_S, "-l", folder / "log", "-o", options)
        yield str(folder)


@contextmanager
def _ended_with_us(user: str | None, control: Path, folder: Path) -> Iterator[None]:
    """A guard stops the server and removes its folder when the block ends, and also when this process is killed."""
    end = f"cat; '{control}' stop -D '{folder}/data' -m immediate -w -t {STOPS_S}; rm -rf '{folder}'"
    guard = subprocess.Popen(
        ["sh", "-c", end],
        stdin=subprocess.PIPE,  # ours alone: closed with the block, or with us
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a Ctrl-C is for the tests, whose end it waits for
        **_as(user),
    )
    try:
        yield
    finally:
        guard.communicate(timeout=STOPS_S + 10)


def place(folder: str, *, user: str = SUPERUSER) -> str:
    """The URL of a schema that no test has had, the user's own: a ledger's room, made faster than a database."""
    import psycopg

    name = f"ledger_{next(NAMES)}"
    with psycopg.connect(url_of(folder), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name} AUTHORIZATION {user}")
    return url_of(folder, user=user, schema=name)


def url_of(folder: str, *, user: str = SUPERUSER, schema: str = "public") -> str:
    return f"postgresql://{user}@/postgres?host={folder}&options=-csearch_path%3D{schema}"


def programs_of_a_server() -> Path | None:
    """Where `initdb` and `pg_ctl` are: on the path, or where Debian puts them, the newest version first."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    on_path = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    return next((path for path in (*on_path, *debian) if all((path / n).exists() for n in ("initdb", "pg_ctl"))), None)


def _user() -> str | None:
    """PostgreSQL refuses to run as root: whoever else there is; None: as we are."""
    if os.getuid() != 0:
        return None
    known = {entry.pw_name for entry in getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def _run(user: str | None, *order: object) -> None:
    done = subprocess.run(
        [str(each) for each in order],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # a pipe would be the server's too, and never end
        stderr=subprocess.DEVNULL,
        timeout=STARTS_S + 10,
        **_as(user),
    )
    assert done.returncode == 0, f"{order} exited with {done.returncode}"


def _as(user: str | None) -> dict[str, Any]:
    """Options of a process that runs as this user, from a folder that everybody can enter."""
    plain: dict[str, Any] = {"cwd": "/", "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}}
    if user is None:
        return plain
    return plain | {"user": user, "group": getpwnam(user).pw_gid, "extra_groups": []}
