"""Code that changes in the folder of a service that listens to commits."""

from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.fraud import SERVICE, write_service

from flyball.adapters.ledger.memory import MemoryLedger, SimulatedClock
from flyball.app.declared import load
from flyball.app.wiring.loop.noticing import EVERY_S, CodeNotice
from flyball.core import events as e
from flyball.core.errors import Unavailable
from flyball.core.ids import Digest, ExperimentDigest, ServiceName
from flyball.pipeline.manifest import of_bytes
from flyball.registry import chain

NAME = ServiceName("fraud")
LISTENS = SERVICE + "retrain: {triggers: [drift, commit]}\n"


class Folder:
    """A service folder, its ledger, and a controller that looks in."""

    def __init__(self, folder: Path, service: str) -> None:
        self.file = write_service(folder, service=service)
        self.ledger = MemoryLedger(sealer=chain, clock=SimulatedClock())
        self.runs, self.now = 0, 0.0
        self.anew()

    def anew(self) -> None:
        """A controller starts."""
        self.notice = CodeNotice(load(self.file), lambda: load(self.file), self.ledger)
        self.now = 0.0

    def trained(self) -> None:
        """The code as it is now is trained."""
        self.runs += 1
        code = of_bytes({path: text.encode() for path, text in load(self.file).code.items()}).root
        digest = Digest("sha256:" + "1" * 64)
        started = e.TrainingStarted(
            service=NAME,
            experiment=ExperimentDigest("fx1:" + digest),
            snapshot=digest,
            reason="manual",
            run=f"run-{self.runs}",
            code=code,
        )
        self.ledger.append([started])

    def write(self, text: str) -> None:
        (self.file.parent / "helper.py").write_text(text)

    def told(self) -> list[Any]:
        self.now += EVERY_S
        self.notice.look(self.now)
        return [entry.fact for entry in self.ledger.read() if isinstance(entry.fact, e.TriggerReceived)]


def test_changed_code_is_told_once_and_no_more_once_it_was_trained(tmp_path: Path) -> None:
    folder = Folder(tmp_path, LISTENS)
    folder.write("A = 1\n")
    assert folder.told() == []  # nothing was trained so far
    folder.trained()
    assert folder.told() == []
    folder.write("A = 22\n")
    (first,) = folder.told()
    assert (first.source, first.by, first.proof) == ("commit", "controller", "policy")
    assert folder.told() == [first]
    folder.anew()
    assert folder.told() == [first]
    folder.trained()
    assert folder.told() == [first]


def test_code_that_goes_back_to_an_older_one_is_news(tmp_path: Path) -> None:
    folder = Folder(tmp_path, LISTENS)
    for number, text in enumerate(("A = 1\n", "A = 22\n", "A = 1\n", "A = 22\n")):
        folder.write(text)
        assert len(folder.told()) == number
        folder.trained()


def test_a_file_that_is_being_written_is_looked_at_the_next_time(tmp_path: Path) -> None:
    folder = Folder(tmp_path, LISTENS)
    folder.trained()
    folder.write("def half(:\n")
    assert folder.told() == []
    folder.write("def half() -> None: ...\n")
    assert len(folder.told()) == 1


def test_a_policy_that_does_not_listen_hears_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path, SERVICE)
    folder.trained()
    folder.write("A = 1\n")
    assert folder.told() == []


def test_what_could_not_be_written_is_told_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(tmp_path, LISTENS)
    folder.write("A = 1\n")
    folder.trained()
    folder.write("A = 22\n")

    def full(*_: object, **__: object) -> None:
        raise Unavailable("the ledger's disk is full: nothing was written")

    with monkeypatch.context() as patched:
        patched.setattr(folder.ledger, "append", full)
        with pytest.raises(Unavailable):
            folder.told()
    assert len(folder.told()) == 1
