"""Code outside the service's folder that a training can import is part of the experiment."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.app.test_identity import inputs
from tests.pipeline.fraud import write_service

from flyball.adapters.training import environment, import_paths
from flyball.app.wiring.training.environment import demand_lock, environment_of
from flyball.core.errors import Refused
from flyball.core.ids import Digest
from flyball.core.release import File
from flyball.pipeline.beside import Beside
from flyball.pipeline.difference import differences
from flyball.pipeline.environment import Platform, changes
from flyball.pipeline.environment import environment as named


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A service, and a folder `lib` of PYTHONPATH with one module."""
    import os

    lib = tmp_path / "lib"
    (lib / "shared").mkdir(parents=True)
    (lib / "shared" / "prices.py").write_text("RATE = 1\n")
    monkeypatch.setenv("PYTHONPATH", f"{lib}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    made = tmp_path / "fraud"
    write_service(made)
    text = (made / "service.yaml").read_text()
    import polars as pl

    pl.read_parquet(made / "train.parquet").write_csv(made / "train.csv")
    (made / "service.yaml").write_text(text.replace("source: train.parquet", "source: train.csv"))
    forget()
    yield made
    forget()


def forget() -> None:
    environment.read_installed.cache_clear()
    import_paths.read_editable.cache_clear()


def editable(site: Path, source: Path, *, pth: str | None) -> None:
    """A distribution as `pip install -e` leaves it: RECORD names no source."""
    info = site / "toy_lib-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy_lib\nVersion: 1.0\n")
    (info / "direct_url.json").write_text(json.dumps({"url": source.as_uri(), "dir_info": {"editable": True}}))
    (info / "RECORD").write_text("__editable__.toy_lib.pth,sha256=a,9\ntoy_lib-1.0.dist-info/METADATA,,\n")
    (site / "__editable__.toy_lib.pth").write_text(pth or "import __editable___toy_lib_finder\n")


def test_one_line_of_a_module_on_pythonpath_is_another_experiment_and_the_file_is_named(folder: Path) -> None:
    before = inputs(folder)
    assert inputs(folder).name == before.name
    (folder.parent / "lib" / "shared" / "prices.py").write_text("RATE = 2\n")
    after = inputs(folder)
    assert after.name != before.name
    told = [str(each) for each in differences(before, after, blob=lambda _: None)]
    assert told == ["environment: code beside it, lib: shared/prices.py is changed"]


@pytest.mark.parametrize("by_hook", [True, False])
def test_one_line_of_an_editable_installation_is_another_experiment(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_hook: bool
) -> None:
    source = tmp_path / "toy" / "src"
    source.mkdir(parents=True)
    (source / "toy_lib.py").write_text("X = 1\n")
    editable(tmp_path / "site", source.parent, pth=None if by_hook else f"{source}\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    forget()
    before = inputs(folder)
    (source / "toy_lib.py").write_text("X = 2\n")
    after = inputs(folder)
    assert after.name != before.name
    path = "src/toy_lib.py" if by_hook else "toy_lib.py"
    told = [str(each) for each in differences(before, after, blob=lambda _: None)]
    assert told == [f"environment: code beside it, toy-lib: {path} is changed"]


def test_what_no_import_finds_is_left_out(folder: Path) -> None:
    before, lib = inputs(folder), folder.parent / "lib"
    for path in (
        ".git/hook.py",
        "venv/x.py",
        "home/releases/model.py",
        "flyball/core.py",
        "shared/__pycache__/a.py",
        "host/runs/x.py",
    ):
        (lib / path).parent.mkdir(parents=True, exist_ok=True)
        (lib / path).write_text("Y = 1\n")
    (lib / "venv" / "pyvenv.cfg").write_text("")
    (lib / "home" / "ledger.db").write_text("")
    (lib / "host" / "ledger.url").write_text("")
    (lib / "notes.txt").write_text("not code")
    assert inputs(folder).name == before.name


def test_the_same_folder_elsewhere_is_the_same_environment(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    before = inputs(folder)
    shutil.copytree(tmp_path / "lib", tmp_path / "moved")
    monkeypatch.setenv("PYTHONPATH", os.environ["PYTHONPATH"].replace("/lib", "/moved", 1))
    assert inputs(folder).name == before.name


def test_a_folder_beyond_the_bound_lowers_the_grade_in_words(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment_of(folder).grade == "C"
    tree = import_paths.read_tree("lib", str(folder.parent / "lib"), most_files=1)
    assert tree[2] is False
    monkeypatch.setattr(import_paths, "trees", lambda: (tree,))
    found = environment_of(folder)
    assert found.grade == "D"
    assert "lib is too large, only its first 1 files are hashed" in found.reason
    with pytest.raises(Refused, match="too large"):
        demand_lock(found)


def test_order_and_content_count_and_names_of_folders_do_not() -> None:
    here = Platform(os="linux", arch="x86_64", libc="", implementation="cpython", python="3.11.2", abi="")
    one, two = (Beside(name=name, files=(File(path="a.py", size=1, sha256=name * 64),)) for name in "ab")
    base, swapped = named(here, (), beside=(one, two)), named(here, (), beside=(two, one))
    assert base.name.digest != swapped.name.digest
    assert changes(base, swapped)
    renamed = Beside(name="other", files=one.files)
    assert named(here, (), beside=(renamed, two)).name == base.name
    assert len({Digest(each.name.digest) for each in (named(here, ()), named(here, (), beside=(one,)), base)}) == 3
