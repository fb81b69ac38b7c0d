"""`flyball monitor status | history | selftest` over a real home: they tell what was seen and change nothing."""

import hashlib
import json
import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.app.monitor.watched_home import START, WINDOW_ROWS, champion, logged, made, traffic, watched

from flyball.adapters.ledger.memory import SimulatedClock
from flyball.adapters.prediction_log.pane_states import STATES, PaneStates, Series
from flyball.app.cli.main import run
from flyball.app.home import Home
from flyball.app.monitor.history import history, picture
from flyball.app.monitor.history_lines import lines
from flyball.app.monitor.standing import window_standing
from flyball.app.people import states_of
from flyball.app.wiring.asking import kept_windows, monitor_selftest
from flyball.app.wiring.ledger import open_ledger
from flyball.control.state.rollout_state import RolloutState
from flyball.core.estimating import Estimated
from flyball.core.release import Estimate
from flyball.core.seen_windows import SeenWindow
from flyball.core.watching import Signal, WindowReport

DRIFTED_FROM = 3 * WINDOW_ROWS  # of eight windows


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return made(tmp_path_factory.mktemp("monitor"))


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen undrifted windows are enough to see how they are told."""
    monkeypatch.setattr(monitor_selftest, "COPIES", 2)
    monkeypatch.setattr(monitor_selftest, "COPY_WINDOWS", 8)
    monkeypatch.setattr(monitor_selftest, "AFTER", 2)


@pytest.fixture(scope="module")
def home(trained: Home) -> Home:
    found = Home(shutil.copytree(trained.root, trained.root.with_name("drifting")))
    logged(found, traffic(8 * WINDOW_ROWS, drifted_from=DRIFTED_FROM))
    watched(found)
    return found


@pytest.fixture(scope="module")
def quiet(trained: Home) -> Home:
    """The same service, whose traffic has not moved, and whose monitor has looked at none of it."""
    found = Home(shutil.copytree(trained.root, trained.root.with_name("quiet")))
    logged(found, traffic(8 * WINDOW_ROWS))
    return found


def said(capfd: pytest.CaptureFixture[str], home: Home, *words: str, code: int = 0) -> str:
    capfd.readouterr()
    assert run(["monitor", *words, "--home", str(home.root)]) == code
    return capfd.readouterr().out


def asked(capfd: pytest.CaptureFixture[str], home: Home, *words: str, code: int = 0) -> Any:
    return json.loads(said(capfd, home, *words, "--json", code=code))


def bytes_of(home: Home) -> dict[str, str]:
    """Every file, and what is in it; not SQLite's own notes beside a database that somebody reads."""
    return {
        str(path.relative_to(home.root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.root.rglob("*"))
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def test_status_tells_the_newest_window_feature_by_feature(home: Home, capfd: pytest.CaptureFixture[str]) -> None:
    (one,) = asked(capfd, home, "status")["services"]
    assert (one["service"], one["champion"]) == ("fraud", champion(home))
    window = one["window"]
    assert window["report"]["index"] == 7
    assert (window["report"]["first_row"], window["report"]["rows"]) == (7 * WINDOW_ROWS, WINDOW_ROWS)
    first = window["features"][0]
    assert (first["name"], first["of"], first["verdict"], first["level"]) == ("amount", "input", "DRIFT", "act")
    assert first["consecutive"] == 5
    others = [each for each in window["features"][1:] if each["of"] == "input"]
    assert {each["verdict"] for each in others} <= {"OK", "INSUFFICIENT"}
    assert {each["name"] for each in window["features"]} >= {"amount", "hour", "country", "distance_km", "score"}
    assert any("labels" in wait for wait in one["waiting_for"])
    text = said(capfd, home, "status", "fraud")
    assert "amount" in text
    assert "DRIFT" in text
    assert "live metric: not measured" in text


def test_status_tells_each_arm_over_time_from_the_counts_that_are_kept(
    home: Home, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_windows, "SystemClock", lambda: SimulatedClock(datetime.fromtimestamp(START + 4000, UTC)))
    before = bytes_of(home)
    (one,) = asked(capfd, home, "status")["services"]
    (arm,) = one["arms"]
    assert (arm["arm"], arm["release"], arm["notes"]) == ("champion", champion(home), [])
    found = {each["over"]: each for each in arm["windows"]}
    assert {over: each["largest"]["name"] for over, each in found.items() if each["largest"]} == dict.fromkeys(
        ("5m", "1h", "24h", "7d"), "amount"
    )
    assert found["5m"]["largest"]["psi"] > found["7d"]["largest"]["psi"] > 0.25  # it mixes before and after
    assert (found["5m"]["verdict"], found["7d"]["rows"]) == ("DRIFT", 8 * WINDOW_ROWS)
    assert (found["hour"]["verdict"], found["hour"]["weeks"]) == ("INSUFFICIENT", 0)
    assert bytes_of(home) == before
    text = said(capfd, home, "status")
    assert "last 7 days" in text
    assert "not enough" in text


def test_an_arm_that_cannot_be_read_says_so_and_keeps_nobody_from_the_others(home: Home) -> None:
    candidate = RolloutState(
        rollout="ro-1", release="sha256:beef", champion=champion(home), policy="", salt="", reason="", opened_at=""
    )
    with closing(open_ledger(home)) as ledger:
        state = replace(states_of(ledger)["fraud"], rollout=candidate)
        store = PaneStates(home.telemetry("fraud") / STATES)
        series = Series(release="sha256:beef", arm="candidate", name="f candidate", without=())
        store.record(store.mark(), [(series, START, 300.0, b"x")])
        ours, theirs = kept_windows.kept_windows(home, ledger, {"fraud": state}, at=START + 4000)["fraud"]
    assert ours.windows[0].rows > 0
    assert (theirs.arm, theirs.windows) == ("candidate", ())
    assert "there is no release of that root" in theirs.notes[0]


def test_a_service_without_a_window_says_what_it_waits_for(quiet: Home, capfd: pytest.CaptureFixture[str]) -> None:
    (one,) = asked(capfd, quiet, "status", "fraud")["services"]
    assert one["window"] is None
    assert any("first window" in wait for wait in one["waiting_for"])
    assert [each["notes"] for each in one["arms"]] == [["nothing of it was counted yet"]]
    assert "no window has closed yet" in said(capfd, quiet, "status")
    assert asked(capfd, quiet, "history", "fraud")["windows"] == []
    assert "no window has closed in this span" in said(capfd, quiet, "history", "fraud")


def test_history_is_every_window_in_order_or_those_of_a_span(home: Home, capfd: pytest.CaptureFixture[str]) -> None:
    windows = asked(capfd, home, "history", "fraud")["windows"]
    assert [each["report"]["index"] for each in windows] == list(range(8))
    drifted = ["amount" in {f["name"] for f in each["features"] if f["verdict"] == "DRIFT"} for each in windows]
    assert drifted == [False] * 3 + [True] * 5
    assert [e["report"]["index"] for e in asked(capfd, home, "history", "fraud", "--last", "2")["windows"]] == [6, 7]
    span = ["--from", str(START + 2 * WINDOW_ROWS), "--to", str(START + 4 * WINDOW_ROWS)]
    assert [e["report"]["index"] for e in asked(capfd, home, "history", "fraud", *span)["windows"]] == [1, 2, 3]
    assert said(capfd, home, "history", "fraud").count("amount") >= 5


def test_history_fits_a_terminal_of_80_columns(home: Home, capfd: pytest.CaptureFixture[str]) -> None:
    told = said(capfd, home, "history", "fraud").splitlines()
    assert max(map(len, told)) <= 80
    assert told[0].split() == ["window", "until", "rows", "largest", "PSI", "metric", "loss"]
    assert sum(line.startswith("release ") for line in told) == 1
    assert sum("drifted: amount" in line for line in told) == 5


def test_lines_of_history_are_never_wider_however_long_the_names_are() -> None:
    psi = {f"a_name_of_{'very ' * 9}many_letters_{k}": 9.0 + k for k in range(30)}
    raised = tuple(
        Signal(
            signal=signal,
            level="act",
            value=9.0,
            limit=0.1,
            release="sha256:" + "a" * 64,
            window=123_456,
            first_row=0,
            last_row=9,
            feature=name,
        )
        for name in psi
        for signal in ("psi", "quality", "risk", "latency")
    )
    small = Estimate(value=-1.234e-5, low=-2e-5, high=2e-5, n=100)
    report = WindowReport(
        index=123_456,
        release="sha256:" + "a" * 64,
        first_row=0,
        last_row=9,
        rows=1_234_567,
        psi=psi,
        signals=raised,
        metric=small,
        loss=small,
    )
    told = list(lines([window_standing(SeenWindow(start=0.0, end=1e9, report=report))] * 2))
    assert max(map(len, told)) <= 80
    assert sum("and 22 more" in line for line in told) == 2
    assert sum("signals: latency, quality, risk" in line for line in told) == 2


def test_the_page_has_every_window_and_loads_nothing(
    home: Home, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "history.html"
    said(capfd, home, "history", "fraud", "--html", str(file))
    page = file.read_text()
    assert page.count("<tr") == 1 + 8
    assert "<svg" in page
    assert "amount" in page
    for loads in ("<script", "src=", "@import", "url(http"):
        assert loads not in page
    asked(capfd, home, "history", "fraud", "--html", str(tmp_path / "no" / "such" / "folder.html"), code=2)


def test_the_selftest_finds_what_it_plants_and_no_alarm_in_undrifted_copies(
    quiet: Home, capfd: pytest.CaptureFixture[str]
) -> None:
    told = asked(capfd, quiet, "selftest", "fraud", "--since", str(START), "--features", "1")
    kinds = {each["kind"]: each for each in told["planted"]}
    assert set(kinds) == {"shift", "scale", "missing", "new category", "unit x1000"}
    for each in told["planted"]:
        assert each["delay_windows"] is not None, each
        assert each["delay_windows"] <= told["most_windows"]
        assert each["warned_rows"] <= each["delay_rows"]
    assert (told["alarmed"], told["windows"]) == (0, 16)
    assert kinds["unit x1000"]["delays"]["quality"] < kinds["shift"]["delays"]["psi"]  # no streak is waited for
    ours, *each_kind, always, never = told["detectors"]
    assert {"psi", "quality"} <= {each["name"] for each in each_kind}
    assert (ours["missed"], always["missed"], never["missed"]) == (0.0, 0.0, 1.0)
    assert (ours["false_alarms"], always["false_alarms"], never["false_alarms"]) == (0.0, 1.0, 0.0)
    assert always["median_delay_windows"] <= ours["median_delay_windows"]


def test_the_selftest_is_the_same_by_its_seed_and_changes_nothing(
    quiet: Home, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["selftest", "fraud", "--since", str(START), "--feature", "amount"]
    before = bytes_of(quiet)
    first = asked(capfd, quiet, *words)
    assert asked(capfd, quiet, *words) == first
    assert {each["feature"] for each in first["planted"]} == {"amount"}
    assert bytes_of(quiet) == before
    text = said(capfd, quiet, *words)
    assert "no feature fits: new category" in text
    assert "always fire" in text


def test_traffic_that_has_moved_already_is_no_false_alarm_and_is_said(
    home: Home, capfd: pytest.CaptureFixture[str]
) -> None:
    told = asked(capfd, home, "selftest", "fraud", "--since", str(START), "--feature", "amount")
    assert told["alarmed"] > told["windows"] / 2
    assert any("has moved from the release's baseline already" in note for note in told["notes"])


@pytest.mark.parametrize(
    ("words", "expected", "code"),
    [
        (["status", "nobody"], "no service 'nobody'", 2),
        (["history", "nobody"], "no service 'nobody'", 2),
        (["selftest", "fraud", "--since", str(START + 7.5 * WINDOW_ROWS)], "expected at least 1000 rows", 1),
        (["selftest", "fraud", "--since", str(START), "--feature", "colour"], "--feature", 2),
        (["history", "fraud", "--from", "yesterday"], "--from", 2),
    ],
)
def test_what_cannot_be_answered_is_told_plainly(
    home: Home, capfd: pytest.CaptureFixture[str], words: list[str], expected: str, code: int
) -> None:
    assert expected in json.dumps(asked(capfd, home, *words, code=code))


def test_the_picture_has_a_line_for_labels_and_one_for_what_is_estimated_without_them() -> None:
    loss = Estimate(value=0.05, low=0.01, high=0.09, n=100)
    estimated = Estimated(metric="roc_auc", by="cbpe", verdict="OK", reason="r", value=loss, loss=loss)
    windows = [
        SeenWindow(
            start=START + 60 * n,
            end=START + 60 * n + 60,
            report=WindowReport(
                index=n,
                release="sha256:aa01",
                first_row=n,
                last_row=n,
                rows=1,
                psi={"amount": 0.1 * n},
                loss=loss if n > 2 else None,
                estimated=estimated,
            ),
        )
        for n in range(6)
    ]
    drawn = picture(history("fraud", windows), (0.1, 0.25))
    for words in ("amount", "estimated", "labels", "worse than promised by"):
        assert words in drawn
