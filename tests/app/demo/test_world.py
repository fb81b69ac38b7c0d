"""The demo's hands: another configuration in a service file, and processes that end."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from flyball.app.declared import load
from flyball.app.demo import traffic
from flyball.app.demo.observe import NotSeen
from flyball.app.demo.processes import Processes
from flyball.app.demo.world import configure
from flyball.core.policy import policy_digest

FOLDER = Path(traffic.__file__).parent / "service"


def test_another_configuration_changes_neither_policy_nor_words(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(FOLDER, tmp_path / "fraud"))
    configure(copy / "service.yaml", {"trees": 3, "leaves": 2, "fault": "slow"})
    before, after = load(FOLDER), load(copy)
    assert after.service.experiment.config == {"trees": 3, "leaves": 2, "fault": "slow"}
    assert policy_digest(before.service) == policy_digest(after.service)
    assert (copy / "service.yaml").read_text().splitlines()[0] == (FOLDER / "service.yaml").read_text().splitlines()[0]


def test_the_declaration_is_sound() -> None:
    declared = load(FOLDER)
    assert declared.notes == ()
    assert declared.not_executed == ()


def test_a_training_that_fails_is_told_with_its_reason(tmp_path: Path) -> None:
    processes = Processes(tmp_path / "home", {}, log=tmp_path / "log")
    with pytest.raises(NotSeen, match=r"(?s)exit code 2: .*nowhere"):
        asyncio.run(processes.train(tmp_path / "nowhere" / "service.yaml"))


def test_an_up_that_cannot_come_up_is_told_with_its_reason(tmp_path: Path) -> None:
    async def story() -> None:
        async with Processes(tmp_path / "home", {}, log=tmp_path / "log").up(tmp_path / "nowhere" / "service.yaml"):
            pytest.fail("it came up")

    with pytest.raises(NotSeen, match="nowhere"):
        asyncio.run(story())


def test_only_a_process_that_lives_has_an_id(tmp_path: Path) -> None:
    processes = Processes(tmp_path, {}, log=tmp_path / "log")
    assert processes.pid("controller") is None
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "controller.pid").write_text(f"{os.getpid()}\n")
    assert processes.pid("controller") == os.getpid()
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    (tmp_path / "run" / "controller.pid").write_text(f"{child}\n")
    assert processes.pid("controller") is None
