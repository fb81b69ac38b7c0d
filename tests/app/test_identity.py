"""From real folders to experiment digests: what moves them, what is bound by them, and what differs in words."""

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import polars as pl
import pytest
from tests.adapters.training.test_environment import site
from tests.pipeline.fraud import MODEL, SERVICE, transactions, write_service

from flyball.adapters.clock import SystemClock
from flyball.adapters.ids import TimeIds
from flyball.adapters.training import environment
from flyball.app.declared import load
from flyball.app.home import Home
from flyball.app.wiring.stores.experiments import ExperimentStore
from flyball.app.wiring.stores.snapshots import SnapshotStore
from flyball.app.wiring.training.environment import demand_lock, environment_of, evaluation
from flyball.app.wiring.training.jobs import inputs_of, sources_of
from flyball.core.errors import BadInput, NotFound, Refused, Untrusted
from flyball.core.ids import ReleaseRoot
from flyball.pipeline.difference import differences
from flyball.pipeline.environment import Environment
from flyball.pipeline.inputs import Inputs
from flyball.pipeline.manifest import of_bytes
from flyball.registry.releases import Registry

LOGGED = "amount,hour,country,distance_km,did,p,r\n1.0,5,home,2.0,"
CSV = "data: {contract: contract.yaml, source: train.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A service that learns from a CSV file, so that one byte of the file can be changed."""
    made = tmp_path / "fraud"
    write_service(made, service=SERVICE.replace("data: {contract: contract.yaml, source: train.parquet", CSV))
    transactions(200).write_csv(made / "train.csv")
    return made


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Installs `toy-tool` in a version, in a site folder of its own."""

    def install(version: str) -> None:
        folder = tmp_path / "site"
        shutil.rmtree(folder, ignore_errors=True)
        site(folder, version=version)
        monkeypatch.syspath_prepend(str(folder))
        environment.read_installed.cache_clear()

    return install


@pytest.fixture(autouse=True)
def forget_the_environment_afterwards() -> object:
    yield
    environment.read_installed.cache_clear()


def inputs(folder: Path) -> Inputs:
    declared = load(folder)
    store = SnapshotStore(Home(folder.parent / "home"), TimeIds(SystemClock()))
    table = pl.read_csv(declared.source, try_parse_dates=True)
    snapshot = store.freeze(table, declared.contract, source="source", as_of=None)
    return inputs_of(declared, sources_of(declared), snapshot, Registry())


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_one_byte_one_line_one_version_one_seed_four_other_digests_and_their_words(
    folder: Path, toy: Callable[[str], None]
) -> None:
    toy("1.0")
    before = inputs(folder)
    texts = {file: (folder / file).read_text() for file in ("train.csv", "model.py", "service.yaml")}

    def back() -> None:
        for name, text in texts.items():
            (folder / name).write_text(text)

    rows = (folder / "train.csv").read_text().splitlines()
    rows[18] = rows[18].replace(".", ".1", 1) if "." in rows[18] else rows[18]
    (folder / "train.csv").write_text("\n".join(rows) + "\n")
    data = inputs(folder)
    back()
    change(folder / "model.py", "max_iter=30", "max_iter=31")
    code = inputs(folder)
    back()
    toy("1.1")
    version = inputs(folder)
    toy("1.0")
    change(folder / "service.yaml", 'seed: "7"', 'seed: "8"')
    seed = inputs(folder)
    back()

    assert inputs(folder).name == before.name
    assert len({each.name for each in (before, data, code, version, seed)}) == 5
    told = {
        name: [str(each) for each in differences(before, after, blob=lambda _: None)]
        for name, after in {"data": data, "code": code, "version": version, "seed": seed}.items()
    }
    assert [each[:15] for each in told["data"]] == ["data: snapshot "]
    assert told["code"][0] == "code: model.py changed (its text is not here)"
    assert told["version"] == ["environment: toy-tool 1.0 -> 1.1"]
    assert told["seed"] == ["seed: 7 -> 8"]


def test_every_part_that_a_release_binds_moves_its_experiment(folder: Path) -> None:
    """Pipeline code, evaluation code, features version and threshold; artefacts and evidence are under the root."""
    whole = inputs(folder)
    document = whole.experiment
    replace = msgspec.structs.replace
    other = of_bytes({"a": b"b"}).root
    changed = [
        replace(document, code=replace(document.code, digest=other)),
        replace(document, evaluation=replace(document.evaluation, digest=other)),
        replace(document, features=replace(document.features, digest=other)),
        replace(document, threshold=0.4),
        replace(document, parents=(ReleaseRoot(other),)),
    ]
    names = {replace(whole, experiment=each).name for each in changed}
    assert len(names | {whole.name}) == len(changed) + 1


def test_the_evaluation_code_is_the_flyball_that_is_imported() -> None:
    import flyball

    found = evaluation()
    root = Path(flyball.__file__).parent
    inside = [p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    files = {p.relative_to(root).as_posix(): p.read_bytes() for p in inside}
    assert found.digest == of_bytes(files).root
    assert of_bytes(files | {"core/ids.py": b"# another line\n"}).root != found.digest


def test_a_commit_is_observed_and_not_hashed(folder: Path) -> None:
    import subprocess

    before = inputs(folder)
    assert before.vcs is None
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *words], check=True)
    clean = inputs(folder)
    (folder / "notes.txt").write_text("not committed")
    dirty = inputs(folder)
    assert clean.vcs is not None
    assert dirty.vcs is not None
    assert (clean.vcs.dirty, dirty.vcs.dirty) == (False, True)
    assert before.name == clean.name == dirty.name


def test_a_lock_beside_the_service_names_the_environment_where_it_is_kept(folder: Path) -> None:
    pins = "".join(f"{n}=={v} --hash=sha256:{'a' * 64}\n" for n, v, _ in environment.installed())
    (folder / "requirements.lock").write_text(pins)
    locked = environment_of(folder)
    assert (locked.name.kind, locked.grade) == ("lock", "B")
    demand_lock(locked)
    polars = next(v for n, v, _ in environment.installed() if n == "polars")
    (folder / "requirements.lock").write_text(pins.replace(f"polars=={polars}", "polars==0.0.1"))
    drifted = environment_of(folder)
    assert (drifted.name.kind, drifted.grade) == ("installed", "C")
    assert drifted.drift == (f"polars {polars} is installed, requirements.lock pins 0.0.1",)
    with pytest.raises(Refused, match=r"polars .* pins 0\.0\.1"):
        demand_lock(drifted)


def test_an_image_goes_before_a_lock(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYBALL_IMAGE_DIGEST", "sha256:" + "a" * 64)
    found: Environment = environment_of(folder)
    assert (found.name.kind, found.grade, found.image) == ("oci", "B", "sha256:" + "a" * 64)


def test_a_golden_set_is_named_by_its_bytes(folder: Path) -> None:
    change(
        folder / "service.yaml", "  metric: roc_auc\ngates", "  metric: roc_auc\n  tests: {golden: golden.csv}\ngates"
    )
    (folder / "golden.csv").write_text("amount,prediction\n1,0\n")
    before = inputs(folder)
    (folder / "golden.csv").write_text("amount,prediction\n1,1\n")
    after = inputs(folder)
    assert [each.part for each in differences(before, after, blob=lambda _: None)] == ["golden"]


def test_an_off_policy_log_is_named_by_its_bytes(folder: Path) -> None:
    log = "{log: l.csv, action: did, propensity: p, reward: r}"
    change(
        folder / "service.yaml", "  metric: roc_auc\ngates", f"  metric: roc_auc\n  tests: {{off_policy: {log}}}\ngates"
    )
    (folder / "l.csv").write_text(LOGGED + "true,0.5,1\n")
    before = inputs(folder)
    (folder / "l.csv").write_text(LOGGED + "true,0.5,0\n")
    assert [each.part for each in differences(before, inputs(folder), blob=lambda _: None)] == ["off_policy"]


PSI = "{metric: psi, baseline: tables/then.csv, tolerance: 5}"


def test_a_table_that_the_contract_compares_with_is_named_by_its_bytes(folder: Path) -> None:
    without = inputs(folder)
    clause = f"quality: [{{id: drift, type: custom, engine: flyball, implementation: {PSI}}}]"
    change(folder / "contract.yaml", "amount, logicalType: number,", f"amount, logicalType: number, {clause},")
    table = folder / "tables" / "then.csv"
    with pytest.raises(BadInput, match=r"tables/then\.csv: \(file\): expected a file that can be read"):
        inputs(folder)
    table.parent.mkdir()
    table.write_text("amount\n1\n2\n")
    before = inputs(folder)
    table.write_text("amount\n1\n3\n")
    after = inputs(folder)
    assert len({without.name, before.name, after.name}) == 3
    assert [str(each) for each in differences(before, after, blob=lambda _: None)] == [
        "baseline: tables/then.csv changed"
    ]
    assert "baseline: tables/then.csv added" in map(str, differences(without, before, blob=lambda _: None))
    table.write_text("amount\n1\n2\n")
    assert inputs(folder).name == before.name


def test_inputs_are_kept_and_hashed_again_when_they_are_read(folder: Path) -> None:
    home = Home(folder.parent / "home")
    store, kept = ExperimentStore(home), inputs(folder)
    store.put(kept)
    assert store.get(kept.name).name == kept.name
    (file,) = home.experiments.iterdir()
    file.write_bytes(file.read_bytes().replace(b'"seed":"7"', b'"seed":"8"'))
    with pytest.raises(Untrusted, match="has the digest fx1:"):
        store.get(kept.name)
    file.unlink()
    with pytest.raises(NotFound, match="not in this home"):
        store.get(kept.name)


def test_a_warm_start_must_take_its_parent(folder: Path) -> None:
    from flyball.core.errors import BadInput

    change(folder / "service.yaml", "  metric: roc_auc\ngates", "  metric: roc_auc\n  warm_start: true\ngates")
    with pytest.raises(BadInput, match="parent"):
        load(folder)
    (folder / "model.py").write_text(MODEL.replace("config: dict, seed: int", "config: dict, seed: int, parent"))
    assert load(folder).service.experiment.warm_start
