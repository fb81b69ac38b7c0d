"""What is kept of an incident: of a real home, once, whatever dies or fills up in between."""

import hashlib
import io
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl
import pytest
from tests.app.monitor.watched_home import START, champion, logged, made
from tests.control.world import FIRST, NAME, SECOND
from tests.pipeline.fraud import transactions

from flyball.app.cli.main import run
from flyball.app.home import Home
from flyball.app.incidents.postmortem import postmortem
from flyball.app.people import states_of
from flyball.app.wiring.asking.incidents import impact_of
from flyball.app.wiring.asking.levels import source_rows
from flyball.app.wiring.ledger import ledger_of, open_ledger
from flyball.app.wiring.loop import beside_log, forensics
from flyball.control.incidents.timeline import timeline
from flyball.control.state.incident_state import OpenIncident
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.facts.storage import EXAMPLES, Deleted, examples_place
from flyball.core.ids import ServiceName
from flyball.core.routing import Routing
from flyball.core.service import Incidents

DECLARED = Incidents(examples=20, before_s=300.0)
WHOLE = {"routing.json", "releases.json", "health.json", "panes.json", "windows.json", "examples.parquet"}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with a trained service and 300 answered rows."""
    home = made(tmp_path_factory.mktemp("lived"))
    logged(home, transactions(300, seed=3))
    return home


def incident(home: Home, name: str) -> tuple[OpenIncident, ServiceState]:
    """Opened on its ledger, of the rows 100 to 250."""
    began = timestamp(datetime.fromtimestamp(START + 100, UTC))
    fact = e.IncidentOpened(
        service=ServiceName("fraud"), incident=name, kind="health", reason="r", cause=name, began=began
    )
    with ledger_of(home) as ledger:
        ledger.append([fact])
        state = states_of(ledger)["fraud"]
    one = state.incidents.open[name]
    at = timestamp(datetime.fromtimestamp(START + 250, UTC))
    return msgspec.structs.replace(one, at=at), state


def kept(home: Home) -> list[e.ForensicsKept]:
    with closing(open_ledger(home)) as ledger:
        return [one.fact for one in ledger.read() if isinstance(one.fact, e.ForensicsKept)]


def test_an_incident_of_the_data_begins_with_its_first_row_and_its_impact_with_it(lived: Home) -> None:
    """Its row is counted on from the rows that the first release learned from; the log begins at 0."""
    with ledger_of(lived) as ledger:
        row = source_rows(ledger.read(subject="fraud")) + 1 + 100
        opened = e.IncidentOpened(
            service=ServiceName("fraud"), incident="in-q", kind="data_quality", reason="no amount", row=row
        )
        assert row > 300, "the log has no such row"
        ledger.append([opened])
        entries = list(ledger.read(subject="fraud"))
        ledger.append([e.IncidentClosed(service=ServiceName("fraud"), incident="in-q", how="person", reason="known")])
    found = timeline("in-q", entries, before_s=60.0)
    impact = impact_of(lived, found, entries)
    began = timestamp(datetime.fromtimestamp(START + 100, UTC))
    assert (impact.rows, impact.since) == (200, began)
    text = postmortem("in-q", entries, impact, before_s=60.0)
    assert f"**Began:** {began}, with row {row} of the stream" in text
    assert f"Between {began} and now" in text
    assert "How long it went unseen is not known" not in text


def test_files_rows_and_roots_are_kept_and_their_digests_told(lived: Home) -> None:
    one, state = incident(lived, "in-whole")
    table = Routing(service=NAME, epoch=5, champion=FIRST, candidate=SECOND, weight=1000, salt="s")
    state = msgspec.structs.replace(state, routing=table, epoch=5, applied=4)
    with ledger_of(lived) as ledger:
        fact = forensics.keep(one, state, DECLARED, lived, ledger)
    assert set(fact.files) == WHOLE
    assert fact.missing == {}
    folder = lived.incident("in-whole")
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=forensics.Manifest)
    for name, root in manifest.files.items():
        assert root == "sha256:" + hashlib.sha256((folder / name).read_bytes()).hexdigest()
    releases = msgspec.json.decode((folder / "releases.json").read_bytes())
    assert releases["champion"] == champion(lived)
    routing = msgspec.json.decode((folder / "routing.json").read_bytes())
    assert msgspec.convert(routing["ordered"], Routing) == table
    assert (routing["applied_epoch"], routing["ordered_epoch"]) == (4, 5)
    panes = msgspec.json.decode((folder / "panes.json").read_bytes())
    assert [pane["index"] for pane in panes] == [0, 1, 2]
    rows = pl.read_parquet(io.BytesIO((folder / "examples.parquet").read_bytes()))
    assert rows.height == 20
    assert rows["at"].max() < START + 250  # type: ignore[operator]
    assert "x.amount" in rows.columns


def test_killed_between_any_two_lines_the_next_round_makes_it_whole_and_tells_it_once(
    lived: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """No code of ours catches it."""

    real, calls = forensics.write_whole, list[str]()
    one, state = incident(lived, "in-killed")
    for dies_at in range(1, len(WHOLE) + 3):  # at each file, at the manifest, and at the fact

        def write(path: Path, data: bytes, *, dies_at: int = dies_at) -> None:
            calls.append(path.name)
            if len(calls) == dies_at:
                raise Killed
            real(path, data)

        calls.clear()
        monkeypatch.setattr(forensics, "write_whole", write)
        with ledger_of(lived) as ledger:
            if dies_at == len(WHOLE) + 2:
                monkeypatch.setattr(ledger, "append", lambda *_, **__: (_ for _ in ()).throw(Killed))
            with pytest.raises(Killed):
                forensics.keep(one, state, DECLARED, lived, ledger)
        monkeypatch.setattr(forensics, "write_whole", real)
    assert not [fact for fact in kept(lived) if fact.incident == "in-killed"]
    with ledger_of(lived) as ledger:
        first = forensics.keep(one, state, DECLARED, lived, ledger)
        assert forensics.keep(one, state, DECLARED, lived, ledger) == first
    assert [fact for fact in kept(lived) if fact.incident == "in-killed"] == [first]
    assert set(first.files) == WHOLE


def test_a_part_that_cannot_be_written_is_named_and_the_rest_is_kept(
    lived: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = forensics.write_whole

    def full(path: Path, data: bytes) -> None:
        if path.name == "examples.parquet":
            raise OSError(28, "No space left on device")
        real(path, data)

    monkeypatch.setattr(forensics, "write_whole", full)
    one, state = incident(lived, "in-full")
    with ledger_of(lived) as ledger:
        fact = forensics.keep(one, state, DECLARED, lived, ledger)
    assert set(fact.files) == WHOLE - {"examples.parquet"}
    assert "No space left" in fact.missing["examples.parquet"]


def test_without_a_log_what_there_is_is_kept(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    fact = e.IncidentOpened(service=NAME, incident="in-bare", kind="health", reason="r", cause="errors")
    with ledger_of(home) as ledger:
        ledger.append([fact])
        state = states_of(ledger)[NAME]
        told = forensics.keep(state.incidents.open["in-bare"], state, DECLARED, home, ledger)
        assert set(told.missing) <= {"examples.parquet"}
        assert states_of(ledger)[NAME].incidents.open["in-bare"].kept


class Standing:
    def __init__(self, state: ServiceState) -> None:
        self.standing = (state, DECLARED)


def test_the_thread_tells_a_full_disk_once_and_goes_on_with_the_others(
    lived: Home, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(forensics, "EVERY_S", 0.01)
    incident(lived, "in-none")
    _, state = incident(lived, "in-some")
    lived.incident("in-none").parent.mkdir(exist_ok=True)
    lived.incident("in-none").write_text("a file where the folder should be")
    stopping = threading.Event()
    real, rounds = forensics.keep, list[str]()

    def counted(one: OpenIncident, *rest: object) -> e.ForensicsKept:
        rounds.append(one.opened.incident)
        if rounds.count("in-none") == 3:
            stopping.set()
        return real(one, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(forensics, "keep", counted)
    with ledger_of(lived) as ledger:
        forensics.keep_all([Standing(state)], lived, ledger, stopping)
    assert capfd.readouterr().err.count("in-none: nothing can be kept") == 1
    assert [fact.incident for fact in kept(lived)].count("in-some") == 1


def test_a_torn_manifest_is_made_again(lived: Home) -> None:
    one, state = incident(lived, "in-torn")
    place = lived.incident("in-torn") / forensics.MANIFEST
    place.parent.mkdir(parents=True)
    place.write_bytes(b'{"incident": "in-')
    with ledger_of(lived) as ledger:
        fact = forensics.keep(one, state, DECLARED, lived, ledger)
    assert set(fact.files) == WHOLE
    assert msgspec.json.decode(place.read_bytes(), type=forensics.Manifest).files.keys() == WHOLE


def test_example_rows_that_the_retention_deleted_are_not_made_again_and_are_told_as_deleted(
    lived: Home, capfd: pytest.CaptureFixture[str]
) -> None:
    one, state = incident(lived, "in-swept")
    folder = lived.incident("in-swept")
    with ledger_of(lived) as ledger:
        forensics.keep(one, state, DECLARED, lived, ledger)
        over = [Deleted(kind="examples", name=examples_place("in-swept"), size=1)]
        beside_log.delete(lived, "fraud", ledger, over, retention_s=86_400.0)
        assert {path.name for path in folder.iterdir()} == {*WHOLE, "manifest.json"} - {EXAMPLES}
        assert forensics.keep(one, state, DECLARED, lived, ledger).missing == {}  # the manifest stays as it was told
        (folder / "manifest.json").unlink()
        again = forensics.keep(one, state, DECLARED, lived, ledger)
        entries = list(ledger.read(subject="fraud"))
    assert not (folder / EXAMPLES).exists()
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=forensics.Manifest)
    assert manifest.missing == {EXAMPLES: "deleted by the retention of the prediction log"}
    found = timeline("in-swept", entries, before_s=60.0)
    torn_before = msgspec.structs.replace(found, forensics=again)  # and told only then
    assert torn_before.missing == found.missing == {}
    assert set(found.files) == WHOLE - {EXAMPLES}
    text = postmortem("in-swept", entries, impact_of(lived, found, entries), before_s=60.0)
    assert f"example rows were deleted by the retention of the prediction log, {found.examples_deleted}." in text
    kept_part = text.partition("## What is kept")[2]
    assert "routing.json" in kept_part
    assert "examples.parquet" not in kept_part
    assert "Missing" not in kept_part
    assert run(["incident", "show", "in-swept", "--home", str(lived.root)]) == 0
    shown = capfd.readouterr().out
    assert f"deleted by the retention of the prediction log: its example rows, {found.examples_deleted}" in shown
    (files,) = (line for line in shown.splitlines() if line.startswith("  kept: "))
    assert "routing.json" in files
    assert "examples.parquet" not in files
    assert not [line for line in shown.splitlines() if line.startswith("  missing: ")]


def test_a_fault_that_nobody_expected_ends_no_thread(
    lived: Home, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(forensics, "EVERY_S", 0.01)
    incident(lived, "in-fault")
    _, state = incident(lived, "in-fine")
    stopping = threading.Event()
    real, rounds = forensics.keep, list[str]()

    def faulty(one: OpenIncident, *rest: object) -> e.ForensicsKept:
        rounds.append(one.opened.incident)
        if rounds.count("in-fault") == 3:
            stopping.set()
        if one.opened.incident == "in-fault":
            raise ValueError("of ours")
        return real(one, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(forensics, "keep", faulty)
    with ledger_of(lived) as ledger:
        forensics.keep_all([Standing(state)], lived, ledger, stopping)
    assert capfd.readouterr().err.count("in-fault: nothing can be kept of it now: of ours") == 1
    assert [fact.incident for fact in kept(lived)].count("in-fine") == 1
