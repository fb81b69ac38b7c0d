"""`flyball status` tells how hard a service presses, as its loop has it, from what is written down."""

import json
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from tests.control.world import FIRST, NAME, SECOND, first_champion, service
from tests.decide.windows import report

from flyball.adapters.window_book import SqliteWindows
from flyball.app.cli.main import run
from flyball.app.home import Home
from flyball.app.people import states_of
from flyball.app.wiring.asking.pressing import pressing_now
from flyball.app.wiring.ledger import ledger_of, open_ledger
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.seen_windows import SeenWindow


def test_it_is_told_of_the_champions_windows_since_it_was_appointed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path)
    declared, *others = first_champion()
    assert isinstance(declared, e.ServiceDeclared)
    with ledger_of(home) as ledger:
        written = ledger.append([replace(declared, declaration=msgspec.to_builtins(service())), *others])
    since = moment(written[-1].at).timestamp()
    windows = []
    for index, release in enumerate((FIRST, SECOND, FIRST, FIRST)):
        start = since - 1800 + index * 3600.0  # the first began before
        seen = replace(report(index, psi={"a": 0.3}), release=release, rows=100, start=start, end=start + 3600)
        windows.append(SeenWindow(start=start, end=start + 3600, report=seen))
    SqliteWindows(home.windows(NAME)).keep(windows)
    with closing(open_ledger(home)) as known:
        (psi,) = pressing_now(home, known, states_of(known)[NAME])
    assert (psi.of, psi.windows, psi.feature, psi.high) == ("psi", 2, "a", True)
    assert run(["status", "--home", str(tmp_path)]) == 0
    assert "1.20" in capfd.readouterr().out
    assert run(["status", "--home", str(tmp_path), "--json"]) == 0
    (told,) = json.loads(capfd.readouterr().out)["services"]
    assert told["pressures"] == [msgspec.to_builtins(psi)]


def test_an_earlier_declaration_that_cannot_be_read_is_no_fault(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with ledger_of(home) as ledger:
        ledger.append(first_champion())
    with closing(open_ledger(home)) as known:
        assert pressing_now(home, known, states_of(known)[NAME]) == ()
