"""What a checklist looks at on the disk: labels that still arrive, and what the champion's own contract promises."""

from pathlib import Path
from types import SimpleNamespace

import msgspec
import polars as pl
import pytest
from msgspec.structs import replace
from tests.control.world import NAME, first_champion, folded, service

from flyball.adapters.content import signing
from flyball.adapters.content.hashing import Hasher
from flyball.adapters.content.keys import signing_key
from flyball.adapters.heartbeat import Beat, write_beat
from flyball.adapters.prediction_log.labels import BOOK, SqliteLabels
from flyball.adapters.prediction_log.segments import SegmentLog
from flyball.app.home import Home
from flyball.app.wiring.asking.looking import looked
from flyball.app.wiring.loop import beats
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.control.review.readiness import Checked
from flyball.core.ids import ReleaseRoot
from flyball.core.log_tables import LogTables
from flyball.core.prediction import LabelRecord, PredictionRecord
from flyball.core.service import Service
from flyball.pipeline.manifest import manifest

NOW = 1_790_000_000.0  # seconds since the epoch
DAY = 86_400.0
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: fraud
version: 1.0.0
status: active
schema:
  - name: t
    properties:
      - {name: at, logicalType: timestamp, required: true}
      - {name: fraud, logicalType: integer, required: true}
"""


def label(age_s: float) -> LabelRecord:
    return LabelRecord(id="p1", label=1, at=NOW - age_s)


def sealed(home: Home, *labels: LabelRecord) -> None:
    """A pane of one row, answered ten days ago, and the labels that came by then."""
    log = SegmentLog(home.telemetry(NAME), NAME, LogTables(features={}, answer=pl.Int64()), fsync="os")
    at = NOW - 10 * DAY
    row = PredictionRecord(id="p1", at=at, unit="u", arm="champion", release="r", epoch=1, outcome="answered")
    log.append(0, [row], [])
    log.seal(0, start=at, end=at + 1, received=1, labels=labels)
    log.close()


def labels_of(home: Home, declared: Service | None = None) -> Checked:
    return looked(home, declared or service(), folded(first_champion()), NOW).labels


def test_without_a_row_nobody_can_say_whether_labels_arrive(tmp_path: Path) -> None:
    assert labels_of(Home(tmp_path)).ok is None


def test_rows_without_any_label_are_no_path_of_labels(tmp_path: Path) -> None:
    sealed(Home(tmp_path))
    assert labels_of(Home(tmp_path)) == Checked(ok=False, why="rows have come, and no label")


@pytest.mark.parametrize(
    ("age_s", "takes_s", "alive"),
    [
        (DAY - 1, 0.0, True),
        (DAY + 1, 0.0, False),
        (2 * 3 * DAY - 1, 3 * DAY, True),  # where labels take three days, six without one are not too many
        (2 * 3 * DAY + 1, 3 * DAY, False),
    ],
)
def test_a_feed_is_dead_after_a_day_or_twice_the_time_that_labels_take(
    tmp_path: Path, age_s: float, takes_s: float, alive: bool
) -> None:
    base = service()
    declared = replace(base, data=replace(base.data, label_window_s=takes_s))
    sealed(Home(tmp_path), label(age_s + DAY), label(age_s))
    found = labels_of(Home(tmp_path), declared)
    assert (found.ok, "2 labels" in found.why, "the feed may be dead" in found.why) == (alive, True, not alive)


def test_a_label_that_no_pane_has_yet_shows_that_the_feed_is_alive(tmp_path: Path) -> None:
    home = Home(tmp_path)
    sealed(home, label(5 * DAY))
    assert labels_of(home).ok is False
    SqliteLabels(home.telemetry(NAME) / BOOK).put([LabelRecord(id="p2", label=0, at=NOW - 60.0)])
    assert labels_of(home).ok is True


def released(home: Home, contract: str) -> ReleaseRoot:
    """A signed release that holds a contract and nothing else."""
    draft = home.root / "draft"
    draft.mkdir(parents=True)
    (draft / "contract.yaml").write_text(contract)
    made = manifest(Hasher().scan(draft, ["contract.yaml"]).files)
    (draft / "manifest.json").write_bytes(msgspec.json.encode(made))
    signing.sign(draft, signing_key(home.keys).path)
    ReleaseStore(home).put(draft, made.root)
    return ReleaseRoot(made.root)


@pytest.mark.parametrize(
    ("promised", "found"),
    [
        ("", Checked(ok=False, why="the packaged contract promises none")),
        (
            "slaProperties: [{property: latency, value: 4, unit: h, element: t.at}, "
            "{property: errorRate, value: 1, unit: percent}]\n",
            Checked(ok=True, why="it promises errorRate, latency"),
        ),
    ],
)
def test_service_levels_are_those_of_the_contract_that_is_packaged_with_the_champion(
    tmp_path: Path, promised: str, found: Checked
) -> None:
    home = Home(tmp_path).made()
    state = replace(folded(first_champion()), champion=released(home, CONTRACT + promised))
    seen = looked(home, service(), state, NOW)
    assert seen.champion.ok is True
    assert seen.levels == found


def test_a_champion_that_does_not_verify_holds_no_contract_that_counts(tmp_path: Path) -> None:
    home = Home(tmp_path).made()
    root = released(home, CONTRACT)
    file = ReleaseStore(home).folder(root) / "contract.yaml"
    file.chmod(0o600)
    file.write_text(CONTRACT + "slaProperties: [{property: errorRate, value: 1, unit: percent}]\n")
    seen = looked(home, service(), replace(folded(first_champion()), champion=root), NOW)
    assert (seen.champion.ok, seen.levels.ok) == (False, None)


@pytest.mark.parametrize(("ago_s", "ok"), [(0.0, True), (15.0, True), (15.1, False), (None, False)])
def test_a_controller_keeps_the_service_where_one_has_done_so_within_a_quarter_of_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ago_s: float | None, ok: bool
) -> None:
    home = Home(tmp_path).made()
    monkeypatch.setattr(beats, "time", SimpleNamespace(time=lambda: NOW))
    if ago_s is not None:
        write_beat(home.heartbeat, Beat(owner="controller-1", at=NOW, kept={NAME: NOW - ago_s, "another": NOW}))
    assert looked(home, service(), folded(first_champion()), NOW).controller.ok is ok
