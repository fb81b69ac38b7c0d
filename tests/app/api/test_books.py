"""What the API reads of a ledger, of either kind, while others write to it."""

import asyncio
from pathlib import Path

import pytest
from tests import postgres
from tests.app.api.asked import declared, put
from tests.app.test_people import PROMOTED, asking
from tests.control.world import NAME, SECOND

from flyball.adapters.ledger.memory import MemoryLedger, SimulatedClock
from flyball.app.api.books import Books
from flyball.app.home import Home
from flyball.app.wiring.api.desk import LedgerDesk
from flyball.app.wiring.ledger import use
from flyball.core.errors import NotFound
from flyball.registry import chain


def test_each_question_reads_what_is_new_and_says_what_a_fresh_reader_would() -> None:
    ledger = MemoryLedger(sealer=chain, clock=SimulatedClock())
    books = Books(ledger)
    for facts in (declared({}), asking(), PROMOTED):
        ledger.append(facts)
        fresh = Books(ledger)
        assert books.standing(NAME) == fresh.standing(NAME)
        assert books.verdict(NAME) == fresh.verdict(NAME)
    assert books.verdict(NAME, SECOND).verdict == "PROMOTE"


def test_only_services_that_are_named_are_answered_for() -> None:
    ledger = MemoryLedger(sealer=chain, clock=SimulatedClock())
    ledger.append(declared({}))
    assert Books(ledger, (NAME,)).standing(NAME).service == NAME
    assert (Books(ledger).services(), Books(ledger, ("shop",)).services()) == ((NAME,), ())
    for books, name in ((Books(ledger, ("shop",)), NAME), (Books(ledger, ("shop",)), "shop"), (Books(ledger), "ro-1")):
        with pytest.raises(NotFound, match="no service is called"):
            books.standing(name)


def test_a_ledger_that_hosts_share_is_read_as_one_in_the_home(postgres_server: str, tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="the extra postgres is not installed")
    home = Home(tmp_path / "home").made()
    use(home, postgres.place(postgres_server))
    put(home, *declared({}))
    put(home, *asking())

    async def asked() -> tuple[str, str]:
        desk = LedgerDesk(home)
        try:
            running = await desk.read(lambda books: books.verdict(NAME))
            put(home, *PROMOTED)
            return running.verdict, (await desk.read(lambda books: books.verdict(NAME, SECOND))).verdict
        finally:
            desk.close()

    assert asyncio.run(asked()) == ("HOLD", "PROMOTE")
