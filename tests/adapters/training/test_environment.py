"""Distributions in real site folders, git work trees, network namespaces."""

import subprocess
import sys
from pathlib import Path

import pytest

from flyball.adapters.training import environment, isolation, vcs
from flyball.core.errors import BadInput


def site(
    folder: Path, *, version: str = "1.0", body: str = "X = 1\n", script: str = "one", installer: str = "pip"
) -> str:
    """A site folder with one distribution, as an installer leaves it; returns its path."""
    info = folder / f"Toy_Tool-{version}.dist-info"
    info.mkdir(parents=True)
    (folder / "toy_tool.py").write_text(body)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: Toy_Tool\nVersion: {version}\n")
    (info / "INSTALLER").write_text(installer)
    (info / "RECORD").write_text(
        f"../../bin/toy,sha256={script},9\ntoy_tool.py,sha256={hash(body)},{len(body)}\n"
        f"{info.name}/INSTALLER,sha256={installer},4\n__pycache__/toy_tool.cpython-311.pyc,,\n{info.name}/RECORD,,\n"
    )
    return str(folder)


def test_a_distribution_is_named_by_name_version_and_its_own_files(tmp_path: Path) -> None:
    ((name, version, record),) = environment.installed(site(tmp_path / "a"))
    assert (name, version) == ("toy-tool", "1.0")
    assert environment.installed(site(tmp_path / "b", version="1.1"))[0][:2] == ("toy-tool", "1.1")
    assert environment.installed(site(tmp_path / "c", body="X = 2\n"))[0][2] != record


def test_paths_of_the_machine_and_notes_of_the_installer_are_not_in_the_name(tmp_path: Path) -> None:
    here = environment.installed(site(tmp_path / "a"))
    assert environment.installed(site(tmp_path / "b", script="two", installer="uv")) == here


def test_this_process_names_what_it_runs_on_and_not_flyball_itself() -> None:
    names = [name for name, _, _ in environment.installed()]
    assert names == sorted(set(names))
    assert {"numpy", "polars"} <= set(names)
    assert "flyball" not in names
    assert environment.tags()["os"] == sys.platform


def test_an_image_is_named_by_its_digest_never_by_a_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = "sha256:" + "a" * 64
    assert environment.image() is None
    monkeypatch.setenv("FLYBALL_IMAGE_DIGEST", f"registry/app@{digest}")
    assert environment.image() == digest
    monkeypatch.setenv("FLYBALL_IMAGE_DIGEST", "registry/app:latest")
    with pytest.raises(BadInput, match="a tag can move"):
        environment.image()


def test_commit_and_dirt_of_a_work_tree_are_observed(tmp_path: Path) -> None:
    assert vcs.state(tmp_path) is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    (tmp_path / "model.py").write_text("1")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *words], check=True)
    commit, dirty = vcs.state(tmp_path) or ("", True)
    assert (len(commit), dirty) == (40, False)
    (tmp_path / "model.py").write_text("2")
    assert vcs.state(tmp_path) == (commit, True)


def test_without_a_network_not_even_loopback_answers() -> None:
    way = isolation.without_network()
    if way is None:
        pytest.skip("this kernel grants no network namespace")
    tries = "import socket; socket.create_connection(('127.0.0.1', 9), timeout=5)"
    done = subprocess.run([*way, sys.executable, "-c", tries], capture_output=True, text=True, check=False)
    assert "unreachable" in done.stderr


def test_copies_that_a_package_brings_for_itself_are_not_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = environment.installed()
    brought = tmp_path / "site-packages" / "ray" / "thirdparty_files"
    (brought / "psutil-0.1.dist-info").mkdir(parents=True)
    (brought / "psutil-0.1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: psutil\nVersion: 0.1\n")
    monkeypatch.syspath_prepend(str(brought))  # as `import ray` does
    assert environment.installed() == before
