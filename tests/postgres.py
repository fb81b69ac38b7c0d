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

import pytest

NAMES = itertools.count()
SUPERUSER = "flyball"
STARTS_S, STOPS_S = 60, 30


@contextmanager
def server() -> Iterator[str]:
    """The folder of its socket; it stops with the block, and everything it wrote is gone."""
    pytest.importorskip("psycopg", reason="the extra postgres is not installed")
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL's initdb is not there")
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="flyball-pg-"))  # short: a socket's path has 107 bytes
    try:
        if user is not None:
            shutil.chown(folder, user)
        data = folder / "data"
        _run(user, programs / "initdb", "-D", data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c shared_buffers=16MB"
        control, log = programs / "pg_ctl", folder / "log"
        try:
            _run(user, control, "start", "-D", data, "-w", "-t", STARTS_S, "-l", log, "-o", options)
            yield str(folder)
        finally:
            _run(user, control, "stop", "-D", data, "-m", "immediate", "-w", "-t", STOPS_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def place(folder: str, *, user: str = SUPERUSER) -> str:
    """The URL of a schema that no test has had, the user's own: a ledger's room, made faster than a database."""
    import psycopg

    name = f"ledger_{next(NAMES)}"
    with psycopg.connect(url_of(folder), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name} AUTHORIZATION {user}")
    return url_of(folder, user=user, schema=name)


def url_of(folder: str, *, user: str = SUPERUSER, schema: str = "public") -> str:
    return f"postgresql://{user}@/postgres?host={folder}&options=-csearch_path%3D{schema}"


def _programs() -> Path | None:
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
        user=user,
        group=None if user is None else getpwnam(user).pw_gid,
        extra_groups=None if user is None else [],
        cwd="/",
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # a pipe would be the server's too, and never end
        stderr=subprocess.DEVNULL,
        timeout=STARTS_S + 10,
    )
    assert done.returncode == 0, f"{order} exited with {done.returncode}"
