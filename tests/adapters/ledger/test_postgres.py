"""The ledger on a real PostgreSQL server under many writers, strangers, dead connections and other people's locks."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests import postgres

from flyball.adapters.ledger.memory import SimulatedClock
from flyball.app.home import Home
from flyball.app.wiring.ledger import audit, open_ledger, use
from flyball.core.errors import BadInput, LedgerBroken, NotFound, Unavailable
from flyball.core.events import Frozen
from flyball.core.ids import ServiceName
from flyball.core.ledger import Command, Entry, Message
from flyball.core.outbox import History
from flyball.registry import chain

psycopg = pytest.importorskip("psycopg", reason="the extra postgres is not installed")

from flyball.adapters.ledger.postgres import PostgresLedger  # noqa: E402 -- behind the extra
from flyball.adapters.ledger.postgres_audit import PostgresSnapshot  # noqa: E402

APPEND = """
import sys
from pathlib import Path
from flyball.app.home import Home
from flyball.app.wiring.ledger import ledger_of
from flyball.core.events import Frozen
home, name, count = Home(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
with ledger_of(home) as ledger:
    for number in range(count):
        id_ = f"{name}-{number}"
        (entry,) = ledger.append([Frozen(service=name, by="test", why=id_)], ids=[id_])
        print(entry.seq, flush=True)
"""


def fact(why: str, service: str = "fraud") -> Frozen:
    return Frozen(service=ServiceName(service), by="ann", why=why)


@pytest.fixture
def url(postgres_server: str) -> str:
    return postgres.place(postgres_server)


@pytest.fixture
def ledger(url: str) -> Iterator[PostgresLedger]:
    made = PostgresLedger(url, sealer=chain)
    yield made
    made.close()


def sql(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Runs each as the owner of the tables; rows of the last."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            done = connection.execute(statement)
        return done.fetchall() if done.description else []


def test_two_hosts_that_append_at_once_keep_one_chain(url: str, tmp_path: Path) -> None:
    homes = [Home(tmp_path / name) for name in "ab"]  # each with a key and a signed head of its own
    for home in homes:
        use(home, url)
    order = [sys.executable, "-c", APPEND]
    children = [
        subprocess.Popen([*order, str(home.root), home.root.name, "60"], stdout=subprocess.PIPE, text=True)
        for home in homes
    ]
    while any(child.poll() is None for child in children):
        verdict = audit(homes[0])  # an auditor who looks while they write
        assert verdict.ok, verdict.reason
    said = [int(line) for child in children for line in child.communicate()[0].split()]
    assert [child.returncode for child in children] == [0, 0]
    assert sorted(said) == list(range(1, 121))
    for home in homes:
        verdict = audit(home)
        assert (verdict.ok, verdict.events, len(verdict.heads)) == (True, 120, 1)
    ledger = open_ledger(homes[0])
    for name in "ab":
        whys = [entry.fact.why for entry in ledger.read(subject=name) if isinstance(entry.fact, Frozen)]
        assert whys == [f"{name}-{number}" for number in range(60)]
    ledger.close()


def test_a_lease_lasts_by_the_clock_of_the_database(ledger: PostgresLedger, url: str) -> None:
    assert ledger.lease("controller", "a", ttl_s=3600) is not None
    ((left,),) = sql(url, "SELECT until - extract(epoch FROM clock_timestamp()) FROM lease")
    assert 3500 < float(str(left)) <= 3600
    assert ledger.lease("controller", "b", ttl_s=3600) is None
    sql(url, "UPDATE lease SET taken = taken - 3600, until = until - 3600")  # an hour goes by, there
    second = ledger.lease("controller", "b", ttl_s=3600)
    assert second is not None
    assert second.epoch == 2
    sql(url, "UPDATE lease SET taken = taken + 7200, until = until + 7200")  # its clock is set back
    third = ledger.lease("controller", "c", ttl_s=3600)
    assert third is not None
    assert third.epoch == 3


def test_who_races_for_a_lease_or_a_command_never_shares_it(ledger: PostgresLedger) -> None:
    orders = [Command(key=str(number), kind="train", subject="fraud", body={}) for number in range(40)]
    ledger.append([fact("a")], commands=orders)
    epochs, claimed = list[int](), list[str]()

    def race(name: str) -> None:
        for _ in range(15):
            lease = ledger.lease("controller", name, ttl_s=0)  # over at once: each is a new holder's
            assert lease is not None
            epochs.append(lease.epoch)
            found = ledger.claim("fraud", name, ttl_s=3600)
            claimed.extend([found.command.key] if found is not None else [])

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(race, name) for name in "abcd"]:
            done.result()
    assert sorted(epochs) == list(range(1, 61))
    assert sorted(claimed, key=int) == [order.key for order in orders]


def test_a_transaction_that_had_failed_unheard_is_not_taken_for_written(url: str) -> None:
    class Hushing:
        """An announcer that keeps a fault of the database to itself."""

        def prepare(self, *_: object) -> None: ...

        def messages(self, _: Sequence[Entry], history: History) -> tuple[Message, ...]:
            with pytest.raises(psycopg.Error):
                list(history("no number"))  # type: ignore[arg-type]
            return ()

    ledger = PostgresLedger(url, sealer=chain, announcer=Hushing())
    with pytest.raises(Unavailable, match="nothing was written: the transaction had failed"):
        ledger.append([fact("lost?")])
    assert ledger.head().size == 0
    ledger.close()


def test_connections_that_died_while_they_waited_are_replaced_in_silence(ledger: PostgresLedger, url: str) -> None:
    ledger.append([fact("before")])
    mine = "datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'flyball'"
    end = f"SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE {mine}"
    sql(url, end)
    assert ledger.head().size == 1
    sql(url, end)
    assert ledger.append([fact("after")])[0].seq == 2


def test_a_ledger_that_another_holds_is_unavailable_and_says_so(url: str) -> None:
    ledger = PostgresLedger(url, sealer=chain, busy_s=0.5)
    with psycopg.connect(url) as other:
        other.execute("SELECT 1 FROM tip FOR UPDATE")
        with pytest.raises(Unavailable, match=r"nothing was written.*lock timeout") as caught:
            ledger.append([fact("while another writes")])
        assert "another process holds the ledger" in caught.value.hint
        assert ledger.head().size == 0  # readers never wait
    assert ledger.append([fact("now")])[0].seq == 1
    ledger.close()


def test_a_server_that_is_away_is_told_without_the_password() -> None:
    with pytest.raises(Unavailable, match=r"refused|not running|No such file") as caught:
        PostgresLedger("postgresql://ann:hush-hush@127.0.0.1:1/ledger?host=/nowhere", sealer=chain)
    assert "hush-hush" not in repr(caught.value)
    assert "hush-hush" not in str(caught.value.__cause__)
    assert "postgresql://ann@127.0.0.1:1/ledger?host=/nowhere" in str(caught.value)


def test_what_libpq_says_of_a_url_is_not_repeated() -> None:
    with pytest.raises(BadInput, match="none of libpq's") as caught:
        PostgresLedger("postgresql://ann:secret@host/db?hots=elsewhere", sealer=chain)
    assert "secret" not in str(caught.value)


def test_other_people_s_tables_are_refused_and_left_alone(url: str) -> None:
    sql(url, "CREATE TABLE ledger(booking TEXT)", "INSERT INTO ledger VALUES ('theirs')")
    with pytest.raises(BadInput, match="other tables of these names: ledger"):
        PostgresLedger(url, sealer=chain)
    assert sql(url, "SELECT * FROM ledger") == [("theirs",)]


def test_an_encoding_that_cannot_hold_every_text_is_refused(postgres_server: str) -> None:
    made = "CREATE DATABASE bytes ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    sql(postgres.url_of(postgres_server), made)
    with pytest.raises(BadInput, match="expected UTF8, found SQL_ASCII"):
        PostgresLedger(postgres.url_of(postgres_server).replace("/postgres?", "/bytes?"), sealer=chain)


def test_tables_of_a_later_version_are_refused(ledger: PostgresLedger, url: str) -> None:
    sql(url, "UPDATE ledger_layout SET layout = 99")
    with pytest.raises(Unavailable, match="layout 99") as caught:
        PostgresLedger(url, sealer=chain)
    assert caught.value.hint == "upgrade flyball"


def test_a_damaged_tip_appends_nothing(ledger: PostgresLedger, url: str) -> None:
    ledger.append([fact("before")])
    sql(url, "UPDATE tip SET frontier = ''")
    with pytest.raises(LedgerBroken, match="tip in the database is damaged"):
        ledger.append([fact("after")])


def test_a_role_that_may_only_append_is_enough_and_cannot_rewrite(postgres_server: str, tmp_path: Path) -> None:
    owners = postgres.place(postgres_server)
    PostgresLedger(owners, sealer=chain).close()
    schema = owners.rpartition("%3D")[2]
    page = (Path(__file__).parents[3] / "docs/how-to/ledger-on-postgresql.md").read_text()
    (rights,) = [block.removeprefix("text\n") for block in page.split("```") if "GRANT" in block]
    sql(owners, "CREATE ROLE appending LOGIN", f"GRANT USAGE ON SCHEMA {schema} TO appending")
    sql(owners, *(each for each in rights.split(";") if each.strip()))
    theirs = postgres.url_of(postgres_server, user="appending", schema=schema)
    ledger = PostgresLedger(theirs, sealer=chain)
    to = Message(id="m", destination="alerts", body={})
    held = ledger.lease("controller", "a", ttl_s=10)
    ledger.append(
        [fact("a")], fence=held, ids=["1"], outbox=[to], commands=[Command(key="k", kind="t", subject="fraud", body={})]
    )
    assert ledger.claim("fraud", "a", ttl_s=10) is not None
    ledger.append([fact("b")], finished=["k"])
    ledger.record("m", "delivered", "HTTP 200")
    ledger.close()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sql(theirs, "UPDATE ledger SET event = '{}'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sql(theirs, "DELETE FROM ledger")
    assert audit(bound(tmp_path, theirs)).ok


def test_what_a_receiver_said_is_kept_also_where_the_database_cannot_hold_it(ledger: PostgresLedger) -> None:
    ledger.append([fact("a")], outbox=[Message(id="m", destination="alerts", body={"text": "a\0b"})])
    assert ledger.pending()[0].body == {"text": "a\0b"}
    ledger.record("m", "failed", "HTTP 500: \0")
    assert [each.status for each in ledger.deliveries()] == ["HTTP 500: \ufffd"]


def test_a_snapshot_does_not_see_what_comes_later(ledger: PostgresLedger) -> None:
    ledger.append([fact("before")])
    with PostgresSnapshot(ledger.url) as snapshot:
        ledger.append([fact("after")])
        tip = snapshot.tip()
        assert tip is not None
        assert (snapshot.events(), snapshot.last(), tip.size, len(list(snapshot.rows()))) == (1, 1, 1, 1)


def test_whoever_owns_the_tables_leaves_traces(ledger: PostgresLedger, url: str, tmp_path: Path) -> None:
    home = bound(tmp_path, url)
    ledger.append([fact(str(number)) for number in range(5)])
    sql(url, "ALTER TABLE ledger ALTER event DROP NOT NULL", "UPDATE ledger SET event = NULL WHERE seq = 3")
    assert audit(home).first_bad == 3
    sql(url, "DROP TABLE ledger, ledger_layout")
    with pytest.raises(NotFound, match="no ledger in this database"):
        audit(home)


def test_a_simulated_clock_also_measures_the_leases(url: str) -> None:
    clock = SimulatedClock()
    ledger = PostgresLedger(url, sealer=chain, clock=clock)
    assert ledger.lease("controller", "a", ttl_s=10) is not None
    clock.advance(10)
    assert ledger.lease("controller", "b", ttl_s=10) is not None
    ledger.close()


def bound(folder: Path, url: str) -> Home:
    """A home whose ledger stands there."""
    home = Home(folder / "home")
    use(home, url)
    return home
