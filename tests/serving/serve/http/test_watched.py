"""The newest window as metrics: bounded, sound to promtool, told once by many workers, absent where unmeasured."""

import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from tests.serving.parts import CHAMPION, routing, row
from tests.serving.serve.http.test_exposition import ALONE
from tests.serving.stage import Stage, stage, until

from flyball.adapters.window_book import SqliteWindows
from flyball.app.home import Home
from flyball.app.wiring.serving.newest_windows import NewestWindows
from flyball.core.realised import Rate, ServingFigures
from flyball.core.release import Estimate
from flyball.core.routing import Observed
from flyball.core.seen_windows import SeenWindow
from flyball.core.watching import Signal, WindowReport
from flyball.serving.serve.http.exposition import exposition_of
from flyball.serving.serve.http.watched import MOST_FEATURES

ESTIMATE = Estimate(value=0.8, low=0.7, high=0.9, n=100)


def window(features: int = 3, *, first_row: int = 0, labels: bool = True) -> SeenWindow:
    drifted = Signal(
        signal="psi",
        level="act",
        value=1.0,
        limit=0.25,
        release=CHAMPION,
        window=0,
        first_row=0,
        last_row=9,
        feature="x0",
    )
    arm = ServingFigures(
        arm="champion",
        release=CHAMPION,
        rows=10,
        latency_p50_ms=2.0,
        availability=Rate(value=0.9, low=0.5, high=1.0, n=10),
        features_available=0.99,
    )
    report = WindowReport(
        index=0,
        release=CHAMPION,
        first_row=first_row,
        last_row=first_row + 9,
        rows=10,
        psi={f"x{n}": 1.0 / (n + 1) for n in range(features)},
        insufficient=("x1",),
        signals=(drifted,),
        metric=ESTIMATE if labels else None,
        loss=ESTIMATE if labels else None,
        error_rate={"champion": 0.1, "candidate": 0.5},
        serving=(arm,),
    )
    return SeenWindow(start=0.0, end=1_790_000_000.0, report=report)


def samples(text: str) -> dict[str, float]:
    """By name and labels, as they are written."""
    return {
        sample.name + str(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
        for sample in family.samples
    }


def told(seen: SeenWindow | None) -> dict[str, float]:
    """What a supervisor says of a service without a table; only what comes out of the window."""
    text = exposition_of([("shop", Observed(routing=None, counts=None), [])], lambda _: seen)
    return {name: value for name, value in samples(text).items() if not name.startswith("flyball_log_records")}


def test_features_are_bounded_and_what_is_insufficient_or_not_measured_has_no_sample() -> None:
    many = told(window(200))
    features = [name for name in many if name.startswith("flyball_feature_psi")]
    assert len(features) == MOST_FEATURES
    assert "flyball_feature_psi[('feature', 'x0'), ('service', 'shop')]" in many
    assert not any("'x1')" in name for name in features)
    assert many["flyball_features_drifted[('service', 'shop')]"] == 1.0
    assert many["flyball_live_metric_loss_low[('service', 'shop')]"] == 0.7
    assert many["flyball_window_error_ratio[('arm', 'candidate'), ('service', 'shop')]"] == 0.5
    assert (
        many["flyball_window_latency_seconds[('arm', 'champion'), ('percentile', '50'), ('service', 'shop')]"] == 0.002
    )
    unlabelled = told(window(labels=False))
    assert not any(name.startswith("flyball_live_metric") for name in unlabelled)
    assert told(None) == {}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_gateway_tells_the_newest_window_once_and_promtool_has_nothing_to_say(tmp_path: Path, workers: int) -> None:
    with stage(tmp_path, workers=workers) as made:
        made.release(CHAMPION)
        made.start()
        made.control.apply("first", routing(previous=None, **ALONE))
        made.predict(row())
        assert "flyball_window" not in made.ask("GET", "/metrics")[1]
        book = SqliteWindows(made.home.windows("shop"))
        book.keep([window()])
        until(lambda: 'flyball_window_rows{service="shop"} 10.0' in _metrics(made), "the window is told")
        book.keep([window(2, first_row=100)])
        until(lambda: 'feature="x2"' not in _metrics(made), "the newest one is told")
        if shutil.which("promtool") is not None:
            text = _metrics(made).encode()
            checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=60)
            assert (checked.returncode, checked.stdout + checked.stderr) == (0, b""), checked


def _metrics(made: Stage) -> str:
    _, text = made.ask("GET", "/metrics")
    return str(text)


def test_a_book_that_cannot_be_read_leaves_the_window_that_is_known(tmp_path: Path) -> None:
    said: list[str] = []
    windows, book = NewestWindows(Home(tmp_path), said.append), SqliteWindows(Home(tmp_path).windows("shop"))
    assert windows("shop") is None
    book.keep([window()])
    assert windows("shop") == window()
    Home(tmp_path).windows("shop").write_text("no database " * 100)
    assert windows("shop") == window()
    assert windows("nobody") is None
    assert len(said) == 1
