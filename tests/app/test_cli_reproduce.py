"""`flyball diff` and `flyball reproduce` on trained homes, as somebody types them."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.adapters.training.test_environment import site
from tests.pipeline.fraud import MODEL, SERVICE, transactions, write_service

from flyball.adapters.content.keys import public_key
from flyball.adapters.training import environment
from flyball.app.cli.main import run
from flyball.app.home import Home
from flyball.app.wiring.ledger import open_ledger
from flyball.app.wiring.stores.digests import Digests, Kind, Known
from flyball.core.errors import NotFound
from flyball.core.events import ReproductionJudged
from flyball.pipeline.attestation import opened
from flyball.pipeline.manifest import Manifest
from flyball.pipeline.packing import BESIDE
from flyball.pipeline.run.data import manifest_of

DICE = MODEL.replace("random_state=seed", "random_state=int.from_bytes(__import__('os').urandom(4), 'big')")
PICKLED = SERVICE.replace("  metric: roc_auc\n", "  metric: roc_auc\n  export: pickle\n", 1)
CLOCK = MODEL.replace("    return Hist", "    import time\n    found = Hist").replace(
    "fit(features, label)\n", "fit(features, label)\n    found.trained_at = time.time_ns()\n    return found\n"
)


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with service, home and the document of its training; `toy-tool 1.0` was installed."""
    folder = tmp_path_factory.mktemp("reproduce")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site(folder / "site"))
        environment.read_installed.cache_clear()
        write_service(folder / "fraud")
        patch.setenv("FLYBALL_HOME", str(folder / "home"))
        with (folder / "document.json").open("w") as out:
            patch.setattr("sys.stdout", out)
            assert run(["train", str(folder / "fraud"), "--json"]) == 0
    yield folder
    environment.read_installed.cache_clear()


@pytest.fixture
def copy(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that a test may break, the toy still installed; FLYBALL_HOME names its home."""
    folder = tmp_path / "copy"
    shutil.copytree(trained, folder)
    monkeypatch.setenv("FLYBALL_HOME", str(folder / "home"))
    monkeypatch.syspath_prepend(str(folder / "site"))
    environment.read_installed.cache_clear()
    return folder


@pytest.fixture
def document(copy: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((copy / "document.json").read_text())
    return found


def judged(folder: Path) -> ReproductionJudged:
    ledger = open_ledger(Home(folder / "home"))
    *_, last = [entry.fact for entry in ledger.read() if isinstance(entry.fact, ReproductionJudged)]
    ledger.close()
    return last


def test_the_same_comes_out_and_the_verdict_is_signed_on_the_ledger(
    copy: Path, document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["reproduce", document["experiment"][:24], "--json"]) == 0
    found = said(capsys)
    assert (found["verdict"], found["first_difference"]) == ("IDENTICAL", None)
    assert found["grades"] == {"code": "A", "data": "A", "environment": "C"}
    assert found["found"] == document["release"]
    fact = judged(copy)
    assert (fact.release, fact.verdict) == (document["release"], "IDENTICAL")
    signed, signature = opened(fact.envelope)
    assert public_key(copy / "home" / "keys" / "signing.pub").verify(signature, signed)
    assert b'"verdict":"IDENTICAL"' in signed
    assert document["release"].removeprefix("sha256:").encode() in signed
    assert run(["ledger", "verify"]) == 0
    assert list((copy / "home" / "work").iterdir()) == []


@pytest.mark.slow
def test_a_table_that_the_contract_compares_with_is_kept_and_found_again(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, home = copy / "fraud", Home(copy / "home")
    psi = "{metric: psi, baseline: then.csv, tolerance: 5}"
    clause = f"quality: [{{id: drift, type: custom, engine: flyball, implementation: {psi}}}]"
    text = (folder / "contract.yaml").read_text()
    mark = "amount, logicalType: number,"
    assert mark in text
    (folder / "contract.yaml").write_text(text.replace(mark, f"{mark} {clause},"))
    table = ("amount\n" + "".join(f"{row}.5\n" for row in range(500))).encode()
    (folder / "then.csv").write_bytes(table)
    assert run(["train", str(folder), "--json"]) == 0
    trained = said(capsys)
    (folder / "then.csv").unlink()
    assert run(["reproduce", trained["experiment"], "--json"]) == 0
    assert said(capsys)["verdict"] == "IDENTICAL"
    digest = sha256(table).hexdigest()
    (home.blobs / digest[:2] / digest[2:]).unlink()
    assert run(["reproduce", trained["experiment"], "--json"]) == 3
    blocked = said(capsys)
    assert blocked["grades"]["code"] == "C"
    assert "then.csv" in blocked["first_difference"]


def test_everything_that_is_missing_is_named_at_once_and_blocks(
    copy: Path, document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(copy / "home")
    shutil.rmtree(home.snapshots)
    shutil.rmtree(copy / "site")
    environment.read_installed.cache_clear()
    assert run(["reproduce", document["release"], "--json"]) == 3
    found = said(capsys)
    assert found["verdict"] == "BLOCKED"
    assert found["first_difference"].endswith("of the training data is not in this home")
    assert found["missing"][1:] == ["environment: toy-tool 1.0 is not installed"]
    assert found["grades"] == {"code": "A", "data": "C", "environment": "C"}
    assert judged(copy).verdict == "BLOCKED"


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("releases/*/model.onnx", "does not verify: model.onnx is changed"),
        ("snapshots/*/data.parquet", "data.parquet is changed"),
        ("experiments/*.json", "cannot be read"),
    ],
)
def test_an_altered_byte_blocks(
    copy: Path, document: dict[str, Any], capsys: pytest.CaptureFixture[str], file: str, words: str
) -> None:
    (found,) = (copy / "home").glob(file)
    found.chmod(0o600)
    found.write_bytes(b"!" + found.read_bytes()[1:])
    assert run(["reproduce", document["release"], "--json"]) == 3
    assert words in said(capsys)["first_difference"]


def test_a_ledger_that_was_rewritten_blocks(
    copy: Path, document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(copy / "home" / "ledger.db") as database:
        for trigger in [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]:
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute("UPDATE ledger SET event = replace(event, '\"rows\":5000', '\"rows\":5001') WHERE seq = 2")
    database.close()
    assert run(["reproduce", document["release"], "--json"]) == 3
    assert "the ledger does not verify" in said(capsys)["first_difference"]


def test_a_root_binds_code_artefacts_evidence_and_threshold(copy: Path, document: dict[str, Any]) -> None:
    (folder,) = (copy / "home" / "releases").iterdir()
    found: Manifest = manifest_of(folder, without=BESIDE)
    assert found.root == document["release"]
    assert {"model.onnx", "release.json", "metrics.json", "baseline.json", "contract.yaml", "code/model.py"} <= {
        file.path for file in found.files
    }
    roots = {found.root}
    for file in found.files:
        whole = (folder / file.path).read_bytes()
        (folder / file.path).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        roots.add(manifest_of(folder, without=BESIDE).root)
        (folder / file.path).write_bytes(whole)
    assert len(roots) == len(found.files) + 1
    assert b'"threshold":0.5' in (folder / "release.json").read_bytes()


def test_a_contract_whose_blob_is_gone_comes_from_the_verified_release(
    copy: Path, document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    digest = sha256((copy / "fraud" / "contract.yaml").read_bytes()).hexdigest()
    (Home(copy / "home").blobs / digest[:2] / digest[2:]).unlink()
    assert run(["reproduce", document["experiment"], "--json"]) == 0
    assert said(capsys)["verdict"] == "IDENTICAL"


def test_code_whose_blob_is_gone_comes_from_the_verified_release(
    copy: Path, document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    sha = of_file = json.loads(next((copy / "home" / "experiments").iterdir()).read_text())["code"]["files"][0][
        "sha256"
    ]
    (copy / "home" / "blobs" / sha[:2] / of_file[2:]).unlink()
    shutil.rmtree(copy / "home" / "experiments")  # so do the inputs
    shutil.rmtree(copy / "home" / "snapshots")
    assert run(["reproduce", document["release"], "--json"]) == 3
    found = said(capsys)
    assert [words.split(" ")[0] for words in found["missing"]] == ["snapshot"]
    assert found["grades"]["code"] == "A"


def test_another_environment_blocks_unless_allowed_and_is_then_at_most_equivalent(
    copy: Path, document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(copy / "site")
    environment.read_installed.cache_clear()
    assert run(["reproduce", document["release"]]) == 3
    assert "toy-tool 1.0 is not installed" in capsys.readouterr().out
    assert run(["reproduce", document["release"], "--allow", "env-drift", "--json"]) == 0
    found = said(capsys)
    assert (found["verdict"], found["first_difference"]) == ("EQUIVALENT", "toy-tool 1.0 is not installed")
    assert found["found"] == document["release"]


@pytest.mark.parametrize(
    ("model", "service", "file", "tolerated"),
    [
        pytest.param(DICE, SERVICE, "model.onnx", False, id="dice"),
        # ONNX holds what answers and no time, so with it this training would come out the same
        pytest.param(CLOCK, PICKLED, "model.pkl", True, id="clock", marks=pytest.mark.slow),
    ],
)
def test_a_training_with_dice_or_a_clock_in_it_diverges_at_the_model(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    service: str,
    file: str,
    tolerated: bool,
) -> None:
    monkeypatch.setenv("FLYBALL_HOME", str(tmp_path / "home"))
    model = model.replace("max_iter=30", "max_iter=30, max_features=0.5")
    write_service(tmp_path / "fraud", model=model, service=service)
    assert run(["train", str(tmp_path / "fraud"), "--json"]) == 0
    experiment = said(capsys)["experiment"]
    assert run(["reproduce", experiment, "--json"]) == 1
    found = said(capsys)
    assert found["verdict"] == "DIVERGED"
    assert found["first_difference"].startswith(f"{file} is changed, from byte ")
    if tolerated:  # it answers alike: somebody who declares a tolerance may call that equivalent
        assert run(["reproduce", experiment, "--tolerance", "1e-9", "--json"]) == 0
        assert said(capsys)["verdict"] == "EQUIVALENT"


@pytest.mark.slow
def test_each_of_two_experiments_with_one_root_and_of_two_services_with_one_experiment_is_reproduced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYBALL_HOME", str(tmp_path / "home"))
    model, folder = MODEL.replace("random_state=seed", "random_state=0"), tmp_path / "fraud"
    trained = []
    for service in (SERVICE, SERVICE.replace('seed: "7"', 'seed: "8"'), SERVICE.replace("name: fraud", "name: other")):
        write_service(folder, service=service, model=model, table=transactions(1500))
        assert run(["train", str(folder), "--json"]) == 0
        trained.append(said(capsys))
    first, second, third = trained
    assert (first["release"], first["experiment"]) == (second["release"], third["experiment"])
    assert first["experiment"] != second["experiment"]
    assert first["release"] != third["release"]
    for digest in (first["experiment"], second["experiment"], first["release"], third["release"]):
        assert run(["reproduce", digest, "--json"]) == 0, digest
        assert said(capsys)["verdict"] == "IDENTICAL"


def test_an_experiment_without_a_release_is_blocked_with_what_its_training_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYBALL_HOME", str(tmp_path / "home"))
    model = MODEL.replace("    return Hist", "    raise RuntimeError('no luck')\n    return Hist")
    assert run(["train", str(write_service(tmp_path / "fraud", model=model)), "--json"]) == 1
    capsys.readouterr()
    (file,) = (tmp_path / "home" / "experiments").iterdir()
    assert run(["reproduce", file.stem[:12], "--json"]) == 3
    assert "no luck" in said(capsys)["first_difference"]


def test_unknown_ambiguous_and_unfit_digests_are_bad_input(
    copy: Path, document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["reproduce", "0" * 64]) == 2
    assert run(["reproduce", document["snapshot"]]) == 2
    assert run(["diff", document["release"], "zz"]) == 2
    assert run(["diff", document["release"], "sha256:"]) == 2
    assert run(["diff", document["release"], "fx1:" + document["release"]]) == 2


def test_a_beginning_means_a_thing_while_only_one_begins_like_it() -> None:
    digests = Digests(())
    for kind, digest in (("experiment", "fx1:sha256:aabb"), ("release", "sha256:aacc"), ("snapshot", "sha256:bbcc")):
        digests.known[(kind, digest)] = Known(kind=msgspec.convert(kind, Kind), digest=digest, service="fraud")
    assert digests.find("bb").kind == "snapshot"
    assert digests.find("fx1:sha256:aa").kind == "experiment"
    assert digests.find("sha256:aa").kind == "release"
    with pytest.raises(NotFound, match="ambiguous: experiment aabb, release aacc"):
        digests.find("aa")


def test_diff_says_what_differs_between_experiments_releases_and_snapshots(
    copy: Path, document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    import polars as pl

    assert run(["diff", document["experiment"], document["release"], "--json"]) == 0
    assert said(capsys)["same"]
    service = SERVICE.replace('seed: "7"', 'seed: "8"').replace("max_depth: 4", "max_depth: 5")
    table = pl.read_parquet(copy / "fraud" / "train.parquet")
    table = table.with_columns(hour=pl.when(pl.int_range(pl.len()) == 17).then(24).otherwise(pl.col("hour")))
    write_service(copy / "fraud", service=service, model=MODEL.replace("max_iter=30", "max_iter=31"), table=table)
    assert run(["train", str(copy / "fraud"), "--json"]) == 0
    other = said(capsys)
    assert run(["diff", document["release"], other["release"][:24], "--json"]) == 1
    found = said(capsys)
    told = [f"{each['part']}: {each['text']}" for each in found["differences"]]
    assert told[0].startswith("data: 1 row of the data is changed, first row 18: hour ")
    assert told[1:5] == [
        "code: model.py changed (line 17)",
        "seed: 7 -> 8",
        "config.max_depth: 4 -> 5",
        told[4],
    ]
    assert "release: model.onnx is changed" in told
    assert (
        "+    return HistGradientBoostingClassifier(random_state=seed, max_iter=31" in found["differences"][1]["detail"]
    )
    assert all(set(metric) == {"name", "a", "b"} for metric in found["metrics"])
    assert {metric["name"] for metric in found["metrics"]} == set(document["metrics"])
    assert run(["diff", document["snapshot"], other["snapshot"]]) == 1
    assert "1 row of the data is changed" in capsys.readouterr().out
    assert run(["diff", document["experiment"], other["experiment"]]) == 1
    assert "@@" in capsys.readouterr().out
