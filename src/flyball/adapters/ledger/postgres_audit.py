"""The ledger on PostgreSQL as an auditor reads it: one read-only snapshot, whoever appends meanwhile."""

from collections.abc import Iterator
from typing import Self

from flyball.adapters.ledger.postgres_connections import connect
from flyball.adapters.ledger.postgres_schema import check_ours, read_tip, translated
from flyball.adapters.ledger.postgres_url import Url
from flyball.adapters.ledger.sqlite_audit import Row
from flyball.core.ledger import Tip

PAGE = 2000  # entries that are fetched at once
_IDLE_S = 0.0  # an auditor may take its time between two entries: it holds up nobody
_BUSY_S = 30.0
# damaged text must reach the check, not fail on its way; whoever owns the tables may also have loosened them
_TEXTS = ", ".join(
    f"convert_to(coalesce({column}::text, ''), 'UTF8')"
    for column in ("at", "type", "subject", "event", "prev_hash", "hash")
)
_READ = "could not be read"


class PostgresSnapshot:
    """What the ledger held when this was opened.

    Raises: NotFound: no ledger there. BadInput: other tables. Unavailable: it cannot be read. LedgerBroken, from any
    method: the database is damaged.
    """

    def __init__(self, url: Url) -> None:
        self._url = url
        with translated(url, _READ):
            self._connection = connect(url, busy_s=_BUSY_S, idle_s=_IDLE_S)
            try:
                check_ours(self._connection, url)
                self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                self._connection.execute("SELECT 1 FROM tip")  # the first read fixes what is seen
            except BaseException:
                self._connection.close()
                raise

    def rows(self, after: int = 0, upto: int | None = None) -> Iterator[Row]:
        """Entries after < seq <= upto in order."""
        query = f"SELECT seq, {_TEXTS} FROM ledger WHERE seq > %s AND seq <= %s ORDER BY seq"
        with translated(self._url, _READ), self._connection.cursor(name="rows") as cursor:
            cursor.itersize = PAGE
            yield from cursor.execute(query, (after, upto if upto is not None else 2**63 - 1))

    def events(self) -> int:
        """How many entries there are."""
        return self._number("SELECT count(*) FROM ledger")

    def last(self) -> int:
        """Number of the newest entry, 0 without one."""
        return self._number("SELECT coalesce(max(seq), 0) FROM ledger")

    def tip(self) -> Tip | None:
        """Where the ledger ends, as its author keeps it; None where that is damaged."""
        with translated(self._url, _READ):
            return read_tip(self._connection)

    def index_faults(self) -> tuple[str, ...]:
        """None that is looked for: no client can change an index of PostgreSQL and leave its table as it is."""
        return ()

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _number(self, query: str) -> int:
        with translated(self._url, _READ):
            row = self._connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])
