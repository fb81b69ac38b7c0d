"""`flyball gc` on real homes: what goes, what stays, and what a kill between any two lines leaves behind."""

import json
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.app.storage.homes import DAY, Made, champion_and_failures, made, step_name
from tests.pipeline.fraud import SERVICE, opened, trained, write_service

from flyball.adapters.clock import SystemClock
from flyball.adapters.content.blobs import Blobs
from flyball.adapters.ledger.memory import SequentialIds, SimulatedClock
from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.app.cli.main import run
from flyball.app.home import Home
from flyball.app.wiring.ledger import audit
from flyball.app.wiring.stores.collecting import Collector
from flyball.app.wiring.stores.drafts import draft
from flyball.app.wiring.stores.experiments import ExperimentStore
from flyball.app.wiring.stores.sweep_lock import alone
from flyball.core import events as e
from flyball.core.errors import Conflict, LedgerBroken, NotFound
from flyball.core.facts.storage import HoldPlaced
from flyball.core.ids import Digest, ReleaseRoot, ServiceName

ROOT = Path(__file__).resolve().parents[3]
GRACE = 7 * DAY


def named(data: bytes) -> str:
    return "sha256:" + sha256(data).hexdigest()


def swept(home: Made, *, times: int = 2) -> None:
    """Sweeps eight days apart."""
    for _ in range(times):
        home.clock.advance(8 * DAY)
        home.collector().sweep(GRACE)


def test_failures_go_after_mark_and_grace_with_what_only_they_needed(tmp_path: Path) -> None:
    with made(tmp_path) as home:
        champion = champion_and_failures(home)
        before = home.stored()
        home.clock.advance(8 * DAY)
        first = home.collector().sweep(GRACE)
        assert not first.deleted
        assert home.stored() == before
        home.clock.advance(8 * DAY)
        second = home.collector().sweep(GRACE)
        assert {item.kind for item in second.deleted} == {"release", "snapshot", "blob", "step"}
        assert len(second.deleted) == 3 * 4 + 1  # steps are a cache: the champion's go as well
        left = home.stored()
        assert {place.split("/")[1] for place in left if place.startswith("releases/")} == {champion[7:]}
        assert not any(place.startswith("steps/") for place in left)
        assert len(left) == len(before) // 4 - 1  # one of four releases, without its step
        assert sorted(home.deleted()) == sorted(item.name for item in second.deleted)
        assert not (tmp_path / "trash").exists()
    assert audit(home.home).ok


def test_what_is_younger_than_the_grace_stays_whatever_reaches_it(tmp_path: Path) -> None:
    with made(tmp_path) as home:
        champion_and_failures(home)
        home.clock.advance(8 * DAY)
        home.collector().sweep(GRACE)
        home.clock.advance(6 * DAY)
        young = home.blob(b"of a training that has not been told to the ledger")
        used = home.blob(b"code of f")  # wanted again
        home.clock.advance(2 * DAY)
        home.collector().sweep(GRACE)
        assert home.blobs.has(young)
        assert home.blobs.has(used)
        assert not home.blobs.has(named(b"code of g"))


def test_a_release_of_which_only_a_hold_speaks_stays_with_everything(tmp_path: Path) -> None:
    with made(tmp_path) as home:
        champion_and_failures(home, failures=("f",))
        before = home.stored()
        failed_root = next(
            entry.fact.release.root
            for entry in home.ledger.read()
            if isinstance(entry.fact, e.ReleaseRegistered) and not entry.fact.release.passed
        )
        hold = HoldPlaced(
            service=ServiceName("fraud"), digest=Digest(failed_root), by="ada", proof="os_user", why="dispute"
        )
        home.ledger.append([hold])
        swept(home)
        assert home.stored() == {place for place in before if not place.startswith("steps/")}


def test_what_a_running_training_holds_stays_however_old_it_is(tmp_path: Path) -> None:
    with made(tmp_path) as home:
        champion_and_failures(home, failures=("f", "g"))
        snapshot = home.snapshot("f")
        with draft(home.home.work, "train-1") as running:
            (running / "service" / "code").mkdir(parents=True)
            (running / "service" / "code" / "model.py").write_bytes(b"code of f")
            (running / "job.json").write_text(json.dumps({"snapshot": {"root": snapshot}}))
            swept(home)
            assert running.is_dir()
        left = home.stored()
        assert f"snapshots/{snapshot[7:]}/data.parquet" in left
        assert home.blobs.has(named(b"code of f"))
        assert not home.blobs.has(named(b"code of g"))


def test_what_a_killed_training_left_holds_nothing_and_goes(tmp_path: Path) -> None:
    with made(tmp_path) as home:
        champion_and_failures(home, failures=("f",))
        snapshot = home.snapshot("f")
        dies = (
            "import os, signal, sys\nfrom pathlib import Path\nfrom flyball.app.wiring.stores.drafts import draft\n"
            "with draft(Path(sys.argv[1]), 'train-1') as folder:\n    (folder / 'job.json').write_text(sys.argv[2])\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        died = subprocess.run([sys.executable, "-c", dies, str(home.home.work), json.dumps(snapshot)], check=False)
        assert died.returncode == -signal.SIGKILL
        (home.home.work / "train-2.lock").touch()  # killed before its draft was made
        (home.home.work / "train-3").mkdir()  # a removal that was killed
        home.collector().look(GRACE)
        assert {path.name for path in home.home.work.iterdir()} == {
            "train-1",
            "train-1.lock",
            "train-2.lock",
            "train-3",
        }
        swept(home)
        assert list(home.home.work.iterdir()) == []
        assert f"snapshots/{snapshot[7:]}/data.parquet" not in home.stored()


def test_a_dry_run_says_what_and_why_and_changes_nothing(tmp_path: Path) -> None:
    with made(tmp_path) as home:
        champion_and_failures(home, failures=("f",))
        home.clock.advance(8 * DAY)
        home.collector().sweep(GRACE)
        home.clock.advance(8 * DAY)
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if "ledger" not in path.name}
        found = home.collector().look(GRACE)
        after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if "ledger" not in path.name}
        assert after == before
        doomed = [each for each in found.judged if each.fate == "delete"]
        assert len(doomed) == 4 + 1
        assert all(each.why and each.item.size for each in doomed)
        kept = {each.why for each in found.judged if each.fate == "keep"}
        assert "champion of fraud" in kept
        assert all("champion of fraud" in why for why in kept)


def test_a_ledger_that_was_cut_deletes_nothing(tmp_path: Path) -> None:
    with made(tmp_path) as home:
        champion_and_failures(home)
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    with made(tmp_path / "other") as other:  # another history in its place
        other.ledger.append([e.Frozen(service=ServiceName("fraud"), by="ada", why="")])
    (tmp_path / "other" / "ledger.db").rename(tmp_path / "ledger.db")
    clock = SimulatedClock()
    with made(tmp_path, clock) as cut:
        before = cut.stored()
        clock.advance(30 * DAY)
        with pytest.raises(LedgerBroken):
            cut.collector().sweep(0.0)
        assert cut.stored() == before


def test_an_empty_or_absent_ledger_deletes_nothing(tmp_path: Path) -> None:
    with made(tmp_path) as home, pytest.raises(LedgerBroken):
        home.collector().sweep(GRACE)
    assert run(["gc", "--home", str(tmp_path / "nowhere")]) == NotFound.exit_code
    assert not (tmp_path / "nowhere").exists()


def test_two_sweeps_never_run_at_once(tmp_path: Path) -> None:
    with made(tmp_path) as home:
        champion_and_failures(home)
        with alone(home.home), pytest.raises(Conflict):
            home.collector().sweep(GRACE)


@pytest.mark.parametrize("moment", range(9))
def test_what_a_fact_makes_live_while_a_sweep_deletes_stays_with_all_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """A hold and an appointment, written by somebody else just before or just after a rename."""
    with made(tmp_path) as home:
        champion = champion_and_failures(home)
        held, appointed, forgotten = (
            entry.fact.release.root
            for entry in home.ledger.read()
            if isinstance(entry.fact, e.ReleaseRegistered) and not entry.fact.release.passed
        )
        swept(home, times=1)
        home.clock.advance(8 * DAY)
        before, left, real = home.stored(), [moment], Path.rename

        def others_write() -> None:
            left[0] -= 1
            if left[0] == -1:
                name = ServiceName("fraud")
                home.ledger.append(
                    [
                        HoldPlaced(service=name, digest=Digest(held), by="ada", proof="os_user", why="court"),
                        e.GatesJudged(service=name, release=appointed, passed=True, results=()),
                        e.ChampionAppointed(service=name, release=appointed, previous=champion),
                    ]
                )

        def rename(path: Path, target: Path) -> Path:
            if "trash" in str(target):
                others_write()
            moved = real(path, target)
            if "trash" in str(target):
                others_write()
            return moved

        monkeypatch.setattr(Path, "rename", rename)
        home.collector().sweep(GRACE)
        gone = before - home.stored()
        assert {place.split("/")[1] for place in gone if place.startswith("releases/")} == {forgotten[7:]}
        assert len(gone) == len(before) // 4 + 3  # steps are a cache
        assert len(home.deleted()) == 4 + 3  # and only of them the ledger says that they are gone


def test_what_became_live_after_a_kill_comes_back_from_the_trash(tmp_path: Path) -> None:
    with made(tmp_path) as home:
        champion_and_failures(home, failures=("f",))
        before = home.stored()
        swept(home, times=1)
    died = subprocess.run([sys.executable, "-c", DIES, str(tmp_path), "append", "0"], cwd=ROOT, check=False)
    assert died.returncode == -signal.SIGKILL
    clock = SimulatedClock()
    clock.advance(16 * DAY)
    with made(tmp_path, clock) as home:
        assert home.stored() < before
        (failed,) = (
            entry.fact.release.root
            for entry in home.ledger.read()
            if isinstance(entry.fact, e.ReleaseRegistered) and not entry.fact.release.passed
        )
        hold = HoldPlaced(service=ServiceName("fraud"), digest=Digest(failed), by="ada", proof="os_user", why="court")
        home.ledger.append([hold])
        home.collector().sweep(GRACE)
        steps = {place for place in before if place.startswith("steps/")}
        assert home.stored() == before - steps
        assert len(home.deleted()) == len(steps)


def test_nobody_is_told_that_something_is_held_while_a_sweep_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with made(tmp_path) as home:
        champion = champion_and_failures(home)
    with alone(Home(tmp_path)):
        assert run(["gc", "--hold", champion, "--why", "audit", "--home", str(tmp_path)]) == Conflict.exit_code
    assert "wait for its end" in capsys.readouterr().err
    with made(tmp_path) as home:
        assert not any(isinstance(entry.fact, HoldPlaced) for entry in home.ledger.read())


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.booleans(), st.booleans()), min_size=1, max_size=6),
    st.integers(1, 3),
)
def test_nothing_that_an_alias_reaches_is_ever_deleted_and_twice_is_once(
    tmp_path_factory: pytest.TempPathFactory, releases: list[tuple[int, int, bool, bool]], sweeps: int
) -> None:
    """Releases that share snapshots, code and parents at random; some pass, some become champion in turn."""
    with made(tmp_path_factory.mktemp("home")) as home:
        needed: set[str] = set()
        last: ReleaseRoot | None = None
        for number, (data, code, passed, appointed) in enumerate(releases):
            snapshot = home.snapshot(f"data {data}")
            source = f"code {code}".encode()
            step = step_name(f"{data} {code}")
            root = home.release(f"model {number}", snapshot, code=source, step=step, parent=last)
            home.register(root, snapshot, passed=passed)
            if passed:
                if appointed:
                    home.appoint(root)
                place = f"releases/{root[7:]}"
                needed |= {path for path in home.stored() if path.startswith(place)}
                needed.add(f"snapshots/{snapshot[7:]}/data.parquet")
                name = home.blob(source)[7:]
                needed.add(f"blobs/{name[:2]}/{name[2:]}")
                if last is not None:
                    needed |= {path for path in home.stored() if path.startswith(f"releases/{last[7:]}")}
            last = root
        for _ in range(sweeps):
            home.clock.advance(8 * DAY)
            home.collector().sweep(GRACE)
            once = (home.stored(), (home.home.root / "gc.json").read_bytes(), home.ledger.head())
            home.collector().sweep(GRACE)
            twice = (home.stored(), (home.home.root / "gc.json").read_bytes(), home.ledger.head())
            assert twice == once
            assert needed <= once[0]


DIES = """
import os, signal, sys
from pathlib import Path
import flyball.app.wiring.stores.collecting as collecting
from flyball.adapters.ledger.memory import SimulatedClock
from tests.app.storage.homes import DAY, made

clock = SimulatedClock()
clock.advance(16 * DAY)
point, left = sys.argv[2], int(sys.argv[3])

def deadly(real):
    def step(*words, **options):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*words, **options)
    return step

with made(Path(sys.argv[1]), clock) as home:
    if point == "rename":
        Path.rename = deadly(Path.rename)
    elif point == "append":
        home.ledger.append = deadly(home.ledger.append)
    else:
        collecting.write_whole = deadly(collecting.write_whole)
    home.collector().sweep(7 * DAY)
"""


@pytest.mark.parametrize(
    ("point", "after"),
    [("write", 0), ("rename", 0), ("rename", 1), ("rename", 5), ("rename", 11), ("append", 0), ("write", 1)],
)
def test_killed_between_any_two_lines_the_next_sweep_ends_at_the_same_state(
    tmp_path: Path, point: str, after: int
) -> None:
    expected, deleted = _ends(tmp_path / "whole", kill=None)
    assert len(deleted) == 13
    assert _ends(tmp_path / "killed", kill=(point, after)) == (expected, deleted)


def _ends(root: Path, kill: tuple[str, int] | None) -> tuple[set[str], list[str]]:
    with made(root) as home:
        champion_and_failures(home)
        home.clock.advance(8 * DAY)
        home.collector().sweep(GRACE)
    if kill is not None:
        command = [sys.executable, "-c", DIES, str(root), kill[0], str(kill[1])]
        died = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    clock = SimulatedClock()
    clock.advance(16 * DAY)
    with made(root, clock) as home:
        home.collector().sweep(GRACE)
        assert json.loads((root / "gc.json").read_bytes()) == {"marked": {}, "sweep": None}
        assert not (root / "trash").exists()
        return home.stored(), sorted(home.deleted())


def test_what_is_wanted_again_after_a_kill_is_spared_and_not_told_as_deleted(tmp_path: Path) -> None:
    with made(tmp_path) as home:
        champion_and_failures(home, failures=("f",))
        home.clock.advance(8 * DAY)
        home.collector().sweep(GRACE)
    died = subprocess.run([sys.executable, "-c", DIES, str(tmp_path), "rename", "0"], cwd=ROOT, check=False)
    assert died.returncode == -signal.SIGKILL
    clock = SimulatedClock()
    clock.advance(16 * DAY)
    with made(tmp_path, clock) as home:
        again = home.blob(b"code of f")
        home.collector().sweep(GRACE)
        assert home.blobs.has(again)
        assert again not in home.deleted()
        assert len(home.deleted()) == 3 + 1


def test_the_command_line_holds_and_lifts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with made(tmp_path) as home:
        champion = champion_and_failures(home, failures=("f",))
        declared = e.ServiceDeclared(
            service=ServiceName("fraud"),
            policy=Digest(champion),
            declaration={"metadata": {"name": "fraud", "owner": "risk"}},
            folder="fraud",
        )
        home.ledger.append([declared])
    options = ["--home", str(tmp_path)]
    assert run(["gc", "--hold", champion[:20], *options]) == 2  # without a reason
    assert run(["gc", "--hold", champion, "--lift", champion, *options]) == 2
    assert run(["gc", "--hold", "sha256:00000000", "--why", "x", *options]) == 2
    assert run(["gc", "--grace", "soon", *options]) == 2
    capsys.readouterr()
    assert run(["gc", "--hold", champion[:20], "--why", "audit", *options]) == 0
    assert "placed a hold" in capsys.readouterr().out
    assert run(["gc", "--hold", champion, "--why", "audit", *options, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["recorded"] == []
    assert run(["gc", "--lift", champion, "--why", "over", *options]) == 0
    assert "lifted the hold" in capsys.readouterr().out
    assert run(["gc", "--dry-run", *options]) == 0
    said = capsys.readouterr().out
    assert "would be marked" in said


def test_an_experiment_whose_release_was_deleted_is_trained_again_not_answered_from_memory(
    tmp_path: Path, trainer: ForkServerTrainer
) -> None:
    strict = SERVICE.replace("min: 0.70", "min: 0.999")
    file = write_service(tmp_path / "fraud", service=strict)
    with opened(tmp_path / "home", trainer, explains=True) as pipeline:
        refused = trained(pipeline, file)
        collector = Collector(Home(tmp_path / "home"), pipeline._ledger, SystemClock(), SequentialIds())
        collector.sweep(0.0)
        kinds = {item.kind for item in collector.sweep(0.0).deleted}
        assert kinds == {"release", "evidence", "snapshot", "blob", "step"}
        assert not pipeline.releases.held(refused.release.root)
        again = trained(pipeline, file)
        assert (again.cached, again.release.root) == (False, refused.release.root)
        pipeline.releases.verified(again.release.root)
        write_service(tmp_path / "fraud", service=SERVICE)  # the gates are eased: judged again, nothing is fitted
        eased = trained(pipeline, file)
        assert (eased.cached, eased.release.passed) == (True, True)
        assert pipeline.registry("fraud").champion == refused.release.root


def test_of_a_trained_home_all_stays_that_its_champion_was_made_from(
    tmp_path: Path, trainer: ForkServerTrainer
) -> None:
    """Real documents: steps are a cache and go; data, code, inputs and evidence of what serves do not."""
    file = write_service(tmp_path / "fraud")
    with opened(tmp_path / "home", trainer, explains=True) as pipeline:
        champion = trained(pipeline, file)
        strict = SERVICE.replace("min: 0.70", "min: 0.999").replace("max_depth: 4", "max_depth: 2")
        write_service(tmp_path / "fraud", service=strict)
        refused = trained(pipeline, file)
        write_service(tmp_path / "fraud", service=strict.replace("max_depth: 2", "max_depth: 3"))
        newest = trained(pipeline, file)
        assert (champion.release.passed, refused.release.passed, newest.release.passed) == (True, False, False)
        home = Home(tmp_path / "home")
        kept_rows = home.root / "quarantine" / "fraud" / "train-0123456789ab.parquet"
        kept_rows.parent.mkdir(parents=True)
        kept_rows.write_bytes(b"rows of people")
        collector = Collector(home, pipeline._ledger, SystemClock(), SequentialIds())
        collector.sweep(3600.0)
        assert kept_rows.exists()  # younger than the grace
        collector.sweep(0.0)
        gone = collector.sweep(0.0).deleted
        assert {item.kind for item in gone} == {"release", "evidence", "step", "experiment", "quarantine"}
        wanted = {each.release.experiment.rsplit(":", 1)[-1] for each in (champion, newest)}
        documents = {path.stem for path in home.experiments.iterdir()}
        assert documents == wanted  # the newest of a service is remembered
        assert [path.name for path in home.releases.iterdir()] == [champion.release.root[7:]]
        assert [path.name for path in home.evidence.iterdir()] == [champion.release.root[7:]]
        pipeline.releases.verified(champion.release.root)
        inputs = ExperimentStore(home).get(champion.release.experiment)
        blobs = Blobs(home.blobs)
        assert all(blobs.has(f"sha256:{each.sha256}") for each in inputs.code.files)
        assert (home.snapshots / champion.release.snapshot[7:]).is_dir()
        write_service(tmp_path / "fraud")
        assert trained(pipeline, file).cached
    assert audit(home).ok
