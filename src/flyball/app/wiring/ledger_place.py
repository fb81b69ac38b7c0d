"""Where a home's ledger stands, and how it is opened there: in the home on SQLite, or in a database on PostgreSQL.

The file `ledger.url` of the home decides, and `flyball ledger use` alone writes it: so every process of a home, however
it was started, has the same ledger.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol, Self

from flyball.adapters.clock import SystemClock
from flyball.adapters.ledger.postgres_url import parsed
from flyball.adapters.ledger.sqlite import SqliteLedger
from flyball.adapters.ledger.sqlite_audit import Row, Snapshot
from flyball.app.home import Home
from flyball.app.wiring.announcements import Announcements
from flyball.core.clock import Clock
from flyball.core.errors import BadInput, Fault, NotFound, Unavailable
from flyball.core.ledger import Message, Tip
from flyball.core.outbox import Outbox
from flyball.registry import chain
from flyball.registry.record import Store, replace_file


class OpenLedger(Store, Outbox, Protocol):
    """A ledger of either kind, with its outbox."""

    def pending(self, limit: int = 100) -> tuple[Message, ...]: ...

    def ack(self, ids: Sequence[str]) -> None: ...

    def close(self) -> None: ...


class OpenSnapshot(Protocol):
    """A ledger of either kind as an auditor reads it."""

    def rows(self, after: int = 0, upto: int | None = None) -> Iterator[Row]: ...

    def events(self) -> int: ...

    def last(self) -> int: ...

    def tip(self) -> Tip | None: ...

    def index_faults(self) -> tuple[str, ...]: ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def open_ledger(home: Home, *, clock: Clock | None = None, told: bool = True) -> OpenLedger:
    """The ledger alone: its heads are signed by other processes, or later.

    `clock`: a simulated world's. `told`: new facts are told to the destinations that their service declares; not where
    a world is only played.
    """
    announcer = Announcements() if told else None
    url = home.database
    if url is None:
        return SqliteLedger(home.made().ledger, sealer=chain, clock=clock or SystemClock(), announcer=announcer)
    try:
        from flyball.adapters.ledger.postgres import PostgresLedger
    except ImportError as error:
        raise _not_installed() from error
    return PostgresLedger(url, sealer=chain, clock=clock, announcer=announcer)


def open_snapshot(home: Home) -> OpenSnapshot:
    """The ledger as it is now, to be read alone. Raises: NotFound: no ledger."""
    url = home.database
    if url is None:
        if not home.ledger.exists():
            raise NotFound(f"{home.ledger}: there is no ledger", hint="name the home by --home or FLYBALL_HOME")
        return Snapshot(home.ledger)
    try:
        from flyball.adapters.ledger.postgres_audit import PostgresSnapshot
    except ImportError as error:
        raise _not_installed() from error
    return PostgresSnapshot(parsed(url))


def place_of(home: Home) -> str:
    """Where the ledger stands, to be shown: a file, or a URL without its password."""
    url = home.database
    return str(home.ledger if url is None else parsed(url))


def name_database(home: Home, url: str) -> str | None:
    """From now on the ledger of the home stands there; returns what was named before.

    Raises: BadInput: the home has a ledger of its own, or the URL is none.
    """
    parsed(url)
    if home.ledger.exists():
        fault = Fault(
            where=str(home.ledger),
            path="(file)",
            expected="no ledger in the home",
            found="one, whose entries would be left behind",
            fix="name a new home",
        )
        raise BadInput("A home has one ledger.", (fault,))
    before = home.database
    replace_file(home.made().ledger_url, url + "\n")  # made with mode 0600
    return before


def unname_database(home: Home, before: str | None) -> None:
    """As it was before `name_database`."""
    if before is None:
        home.ledger_url.unlink()
    else:
        replace_file(home.ledger_url, before + "\n")


def _not_installed() -> Unavailable:
    return Unavailable(
        "a ledger on PostgreSQL needs an extra that is not installed", hint="pip install 'flyball[postgres]'"
    )
