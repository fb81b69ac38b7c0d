"""Ready, maturity, scorecard and digest as they are typed, on a home with a release that was really trained and rows
that it really answered."""

import contextlib
import hashlib
import io
import json
import shutil
import subprocess
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.app.monitor.watched_home import START, logged, made
from tests.control.world import NAME, first_champion, service
from tests.pipeline.fraud import transactions

from flyball.app.cli.main import run
from flyball.app.home import Home
from flyball.app.people import states_of
from flyball.app.wiring.asking.declarations import declaration
from flyball.app.wiring.ledger import open_ledger, recorder
from flyball.app.wiring.reviewing import digesting, reading
from flyball.app.wiring.reviewing.digesting import write_due
from flyball.app.wiring.reviewing.reading import clock
from flyball.contracts.declaration.service_file import declaration as as_plain
from flyball.core import events as e
from flyball.core.errors import Unavailable
from flyball.core.service import Review
from flyball.decide.calendar import start_of

FIRST_DAY = datetime.fromtimestamp(START, UTC)
NOW = clock()  # read once: a month may end between two looks


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    found = made(tmp_path_factory.mktemp("reviewed"))
    logged(found, transactions(1_000), labelled=True)
    return found


@pytest.fixture
def said(home: Home, capfd: pytest.CaptureFixture[str]) -> Any:
    def answer(*words: str) -> tuple[int, Any]:
        code = run([*words, "--home", str(home.root), "--json"])
        return code, json.loads(capfd.readouterr().out)

    return answer


def test_the_scorecard_counts_the_rows_of_the_log_and_knows_nothing_of_what_never_happened(said: Any) -> None:
    since, until = FIRST_DAY - timedelta(days=1), clock() + timedelta(days=1)
    code, told = said("scorecard", "fraud", "--since", since.isoformat(), "--until", until.isoformat())
    assert code == 0
    lines = {line["name"]: line for line in told["scorecards"][0]["lines"]}
    assert (lines["availability"]["value"], lines["availability"]["n"]) == (1.0, 1_000)
    assert lines["availability"]["met"] == "met"
    assert lines["data incidents"]["value"] == 0.0
    assert lines["deployments tried first"]["value"] is None  # a first release has nobody beside it
    assert lines["lead time"]["n"] == 1
    assert lines["time to recover"]["met"] == "unknown"


def test_rows_outside_the_span_are_not_counted(said: Any) -> None:
    until = FIRST_DAY + timedelta(seconds=250)
    _, told = said("scorecard", "fraud", "--since", FIRST_DAY.isoformat(), "--until", until.isoformat())
    assert told["scorecards"][0]["lines"][0]["n"] == 250


def test_a_release_that_was_trained_a_minute_ago_is_not_ready_and_is_told_why(said: Any) -> None:
    code, told = said("ready", "fraud")
    assert code == 1
    items = {item["name"]: item for item in told["items"]}
    assert items["the champion is signed and verifies"]["state"] == "PASS"
    assert items["gates have a floor"]["state"] == "PASS"
    assert items["there is a release to go back to"]["state"] == "FAIL"
    assert items["a shadow has passed"]["state"] == "UNKNOWN"
    assert items["a controller keeps the service"]["state"] == "FAIL"
    assert told["ready"] is False


def test_a_release_whose_bytes_were_changed_does_not_pass(home: Home, said: Any, tmp_path: Path) -> None:
    copy = Home(tmp_path / "copy")
    shutil.copytree(home.root, copy.root)
    (model,) = copy.releases.glob("*/metrics.json")
    model.chmod(0o600)
    model.write_bytes(model.read_bytes() + b" ")
    code = run(["ready", "fraud", "--home", str(copy.root), "--json"])
    assert code == 1
    items = {item["name"]: item for item in json.loads(_out(copy, "ready", "fraud"))["items"]}
    assert items["the champion is signed and verifies"]["state"] == "FAIL"


def _out(home: Home, *words: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        run([*words, "--home", str(home.root), "--json"])
    return out.getvalue()


def test_the_maturity_of_a_first_release_is_what_its_own_tests_show(said: Any) -> None:
    code, told = said("maturity", "fraud")
    assert code == 0
    (found,) = told["services"]
    points = {test["name"]: test["points"] for test in found["tests"]}
    assert points["what each input may be is written down, and held"] == 1
    assert points["no input is used that must not be"] == 1
    assert points["a bad model is taken back, fast"] == 0
    assert found["level"]["number"] == 0
    assert {need["level"] for need in found["level"]["missing"]} == {"instrumented"}
    assert found["score"] == min(found["sections"].values())


class Then:
    """A clock that stands in a month that is over."""

    def now(self) -> datetime:
        return start_of("monthly", NOW) - timedelta(days=3)

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
def old(tmp_path: Path) -> Home:
    """A home whose facts are of the month before."""
    found = Home(tmp_path / "old").made()
    declared, *others = first_champion()
    assert isinstance(declared, e.ServiceDeclared)
    with closing(recorder(found, clock=Then())) as ledger:
        ledger.append([replace(declared, declaration=as_plain(service())), *others])
    return found


def test_a_digest_is_written_once_and_reads_the_same_again(old: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "clock", lambda: NOW)
    first = json.loads(_out(old, "digest", "fraud", "--period", "monthly"))["digests"][0]
    file = Path(first["file"])
    before = file.read_bytes()
    again = json.loads(_out(old, "digest", "--all", "--period", "monthly"))["digests"][0]
    assert (first["recorded"], again["recorded"]) == (True, False)
    assert file.read_bytes() == before
    assert "4 facts" in before.decode()
    with closing(open_ledger(old)) as ledger:
        (written,) = [entry.fact for entry in ledger.read() if isinstance(entry.fact, e.DigestWritten)]
    assert written.digest == f"sha256:{hashlib.sha256(before).hexdigest()}"
    assert first["digest"]["standing"].startswith("champion aaaaaaaaaaaa")


class In:
    """A clock that stands."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return 0.0


def _served_since(home: Home, at: datetime) -> Home:
    declared, *others = first_champion()
    assert isinstance(declared, e.ServiceDeclared)
    with closing(recorder(home.made(), clock=In(at))) as ledger:
        ledger.append([replace(declared, declaration=as_plain(service())), *others])
    return home


def test_a_digest_of_a_quarter_is_of_its_three_months_and_written_once(tmp_path: Path) -> None:
    """First day, last day, and the first of the next quarter, which is not in it."""
    home = Home(tmp_path / "home")
    _served_since(home, datetime(2024, 4, 1, tzinfo=UTC))
    frozen = e.Frozen(service=NAME, by="ada", why="-")
    for at in (datetime(2024, 6, 30, 23, 59, 59, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC)):
        with closing(recorder(home, clock=In(at))) as ledger:
            ledger.append([frozen])
    words = ("digest", "fraud", "--period", "quarterly", "--until", "2024-08-15")
    (first,), (again,) = (json.loads(_out(home, *words))["digests"] for _ in range(2))
    assert (first["recorded"], again["recorded"]) == (True, False)
    file = Path(first["file"])
    assert (file.parent.name, file.name) == ("fraud", "quarterly-2024-Q2.md")
    assert file.read_text().startswith("# fraud: quarterly digest")
    assert "5 facts" in file.read_text()
    with closing(open_ledger(home)) as ledger:
        (written,) = [entry.fact for entry in ledger.read() if isinstance(entry.fact, e.DigestWritten)]
    span = (written.since, written.until)
    assert (written.period, *span) == ("quarterly", "2024-04-01T00:00:00.000000Z", "2024-07-01T00:00:00.000000Z")


def test_a_controller_writes_the_quarter_when_it_is_over_and_no_sooner(tmp_path: Path) -> None:
    home = _served_since(Home(tmp_path / "home"), datetime(2024, 5, 20, tzinfo=UTC))
    with closing(recorder(home)) as ledger:
        declared = _with(service(), Review(digests=("quarterly",)))

        def held() -> Any:
            return states_of(ledger)["fraud"], declared

        assert write_due(held, home, ledger, datetime(2024, 6, 30, 23, 59, 59, tzinfo=UTC)) == 0
        assert write_due(held, home, ledger, datetime(2024, 7, 1, 0, 0, 1, tzinfo=UTC)) == 1
        assert write_due(held, home, ledger, datetime(2024, 9, 30, tzinfo=UTC)) == 0
    assert [file.name for file in (home.digests / "fraud").iterdir()] == ["quarterly-2024-Q2.md"]


def test_a_service_has_no_digest_of_a_time_before_it_was_there(home: Home, old: Home) -> None:
    assert run(["digest", "fraud", "--home", str(home.root)]) == 1
    long_ago = ["digest", "fraud", "--period", "quarterly", "--until", "2020-01-01", "--home", str(old.root)]
    assert run(long_ago) == 1


def test_the_controller_writes_what_is_due_and_then_has_nothing_to_do(home: Home, tmp_path: Path) -> None:
    copy = Home(tmp_path / "copy")
    shutil.copytree(home.root, copy.root)
    now = clock() + timedelta(days=8)
    with closing(recorder(copy)) as ledger:
        declared = declaration(ledger, "fraud")
        declared = _with(declared, Review(digests=("weekly",)))

        def held() -> Any:
            return states_of(ledger)["fraud"], declared

        assert write_due(held, copy, ledger, now) == 1
        assert write_due(held, copy, ledger, now) == 0
        off = _with(declared, Review())
        assert write_due(lambda: (held()[0], off), copy, ledger, now + timedelta(days=8)) == 0
    (file,) = (copy.digests / "fraud").glob("weekly-*.md")
    assert file.read_text().startswith("# fraud: weekly digest")


def test_a_controller_that_dies_between_file_and_fact_leaves_a_digest_that_the_next_one_completes(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Home(tmp_path / "copy")
    shutil.copytree(home.root, copy.root)
    now = clock() + timedelta(days=8)
    with closing(recorder(copy)) as ledger:
        declared = _with(declaration(ledger, "fraud"), Review(digests=("weekly",)))

        def held() -> Any:
            return states_of(ledger)["fraud"], declared

        with monkeypatch.context() as dying:
            dying.setattr(type(ledger), "append", _killed)
            with pytest.raises(KeyboardInterrupt):
                write_due(held, copy, ledger, now)
        (file,) = (copy.digests / "fraud").glob("weekly-*.md")
        before = file.read_bytes()
        assert write_due(held, copy, ledger, now) == 1
        assert file.read_bytes() == before


def test_a_service_whose_digest_cannot_be_written_holds_up_no_other_and_is_told_once(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    copy = Home(tmp_path / "copy")
    shutil.copytree(home.root, copy.root)
    stopping, looks = threading.Event(), list[int]()
    monkeypatch.setattr(digesting, "EVERY_S", 0.01)
    monkeypatch.setattr(digesting, "clock", lambda: NOW + timedelta(days=8))

    def broken() -> Any:
        raise Unavailable("the disk is away")

    with closing(recorder(copy)) as ledger:
        declared = _with(declaration(ledger, "fraud"), Review(digests=("weekly",)))

        def held() -> Any:
            looks.append(1)
            if len(looks) == 3:
                stopping.set()
            return states_of(ledger)["fraud"], declared

        digesting.keep_digests([broken, held], copy, ledger, stopping)
    assert len(list((copy.digests / "fraud").glob("weekly-*.md"))) == 1
    assert capfd.readouterr().err.count("the disk is away") == 1


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def _with(declared: Any, review: Review) -> Any:
    return replace(declared, review=review)


def test_a_span_that_ends_before_it_begins_is_bad_input(home: Home) -> None:
    words = ["scorecard", "--since", "2026-02-01", "--until", "2026-01-01", "--home", str(home.root)]
    assert run(words) == 2
    assert run(["digest", "--home", str(home.root)]) == 2
    assert run(["digest", "fraud", "--until", "2999-01-01", "--home", str(home.root)]) == 2


def test_a_digest_of_nothing_says_so_and_a_page_makes_no_folder(
    home: Home, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["digest", "--all", "--until", "2001-01-01", "--home", str(home.root)]) == 0
    assert "no service was there before" in capfd.readouterr().out
    file = tmp_path / "not" / "there.html"
    assert run(["scorecard", "--html", str(file), "--home", str(home.root)]) == 2
    assert not file.parent.exists()
    file.parent.mkdir()
    assert run(["scorecard", "--html", str(file), "--home", str(home.root)]) == 0
    assert f"written to {file}" in capfd.readouterr().err


def test_a_service_that_is_not_there_is_told(home: Home) -> None:
    for verb in ("ready", "scorecard", "maturity", "digest"):
        assert run([verb, "churn", "--home", str(home.root)]) == 2


def test_the_page_of_a_scorecard_opens_in_a_browser_that_reaches_no_network(home: Home, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("chromium is not there")
    file = tmp_path / "card.html"
    since = (FIRST_DAY - timedelta(days=1)).isoformat()
    until = (FIRST_DAY + timedelta(days=2)).isoformat()
    words = ["scorecard", "--since", since, "--until", until, "--html", str(file), "--home", str(home.root)]
    assert run(words) == 0
    assert "http" not in file.read_text().replace("http-equiv", "")
    shown = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND",
         f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", file.as_uri()],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "<title>Scorecard: fraud</title>" in shown
    assert shown.count("<tr>") == 14  # the head and 13 figures
    assert 'class="days"' in shown
