"""A controller's checkpoint on disk: taken over by the next one of the same declaration and code, and by no other."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.simulation.small import SERVICE, cast_of, declared, scenario

from flyball.adapters.content.keys import signing_key
from flyball.adapters.window_book import SqliteWindows, windows_of
from flyball.app.declared import Declared
from flyball.app.home import Home
from flyball.app.wiring.loop import kept_memory
from flyball.app.wiring.loop.kept_memory import checkpointed
from flyball.app.wiring.loop.remembering import Remembering
from flyball.app.wiring.rehearse.run import Rehearsal
from flyball.control.reconcile import TelemetrySensor
from flyball.core.seen_windows import SeenWindow
from flyball.monitor.watch import Watcher

PAST = Rehearsal(cast_of(scenario(days=0.2, candidates=())), 8)
PAST.run()


class Controller:
    """As far as it reads the log."""

    def __init__(self, home: Home, told: Declared, *, worth: dict[str, float] | None = None) -> None:
        cast, log = PAST.cast, PAST.world.telemetry
        watcher = Watcher(told.service, cast.contract, cast.models.promise)
        self.complaints: list[str] = []
        self.windows = Remembering(watcher, SqliteWindows(home.windows("small")), self.complaints.append)
        self.sensor = TelemetrySensor(told.service, log, self.windows)
        self._looking = checkpointed(
            self.sensor,
            log,
            told,
            home,
            signing_key(home.keys),
            worth=worth,
            repairs=(),
            beside={"watcher": watcher, "windows": self.windows},
            covered=lambda index: True,
            complain=self.complaints.append,
        )

    def look(self) -> int:
        """How many panes it had to read."""
        self._looking.look(PAST.state, "2026-01-01T00:00:00Z")
        return self.sensor.fed

    def stop(self) -> None:
        self._looking.save()


def test_the_next_controller_reads_on_and_writes_the_same_windows(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").made()
    first = Controller(home, declared())
    assert first.look() > 0
    first.stop()
    second = Controller(home, declared())
    assert second.look() == 0
    assert first.complaints == second.complaints == []
    second.windows.write()
    whole: list[SeenWindow] = first.windows._waiting
    written = list(windows_of(home.windows("small")))
    assert [each.report for each in written] == [each.report for each in whole]


def test_another_declaration_worth_code_or_key_reads_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home").made()
    first = Controller(home, declared())
    whole = first.look()
    first.stop()
    other = declared(replace(SERVICE, monitor=replace(SERVICE.monitor, window_rows=400)))
    assert Controller(home, other).look() == whole
    assert Controller(home, declared(), worth={"a": 1.0}).look() == whole
    with monkeypatch.context() as patched:
        patched.setattr(kept_memory, "own_code", lambda: "of another version")
        assert Controller(home, declared()).look() == whole
    assert Controller(home, declared()).look() == 0
    for file in home.keys.iterdir():
        file.unlink()
    assert Controller(home, declared()).look() == whole


def test_the_code_has_one_digest() -> None:
    assert kept_memory.own_code() == kept_memory.own_code.__wrapped__()
