"""Kill the process at each point where a training may be interrupted; running it again repairs it."""

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.pipeline.fraud import MODEL, opened, trained, write_service

from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.core import events

ROOT = Path(__file__).resolve().parents[2]

# a child that trains over the home and dies by its own hand when it is about to write the fact named
DIES_BEFORE = """
import os, signal, sys
from pathlib import Path
from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.core import events
from tests.pipeline.fraud import opened, trained

root, service, fatal = Path(sys.argv[1]), Path(sys.argv[2]), getattr(events, sys.argv[3])
with opened(root, ForkServerTrainer()) as pipeline:
    append = pipeline._ledger.append
    def deadly(facts, **options):
        if any(isinstance(fact, fatal) for fact in facts):
            os.kill(os.getpid(), signal.SIGKILL)
        return append(facts, **options)
    pipeline._ledger.append = deadly
    trained(pipeline, service)
"""


@pytest.mark.parametrize(
    ("fact", "trains_again"),
    [
        pytest.param("SnapshotTaken", True, marks=pytest.mark.slow),  # crash point A
        ("ReleaseRegistered", True),  # crash point C: the folder has its name, the ledger does not know it
        ("ChampionAppointed", False),  # crash point D: registered, but nobody is champion
    ],
)
def test_killed_before_a_fact_the_next_run_ends_at_the_same_release(
    tmp_path: Path, trainer: ForkServerTrainer, fact: str, trains_again: bool
) -> None:
    service = write_service(tmp_path / "fraud")
    command = [sys.executable, "-c", DIES_BEFORE, str(tmp_path / "home"), str(service), fact]
    died = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    with opened(tmp_path / "home", trainer) as pipeline:
        before = pipeline.registry("fraud")
        assert before.champion is None
        found = trained(pipeline, service)
        after = pipeline.registry("fraud")
        assert found.cached is not trains_again
        assert after.champion == found.release.root
        assert len(after.releases) == len(after.terms) == 1
        pipeline.releases.verified(found.release.root)
        of_type = [entry.fact for entry in pipeline._ledger.read()]
        assert sum(isinstance(one, events.ReleaseRegistered) for one in of_type) == 1
        assert sum(isinstance(one, events.SnapshotTaken) for one in of_type) == 1


def test_killed_in_the_middle_of_a_fit_nothing_keeps_running_and_the_next_run_trains(
    tmp_path: Path, trainer: ForkServerTrainer
) -> None:  # crash point B
    gate = tmp_path / "gate"
    gate.touch()
    server = socket.socket(socket.AF_UNIX)  # a name and no file: a training can write no file of ours
    server.bind(f"\0{tmp_path.name}-{os.getpid()}")
    server.listen()
    waits = MODEL.replace(
        "    return HistGradient",
        f"    import os, socket, threading\n    if os.path.exists({str(gate)!r}):\n"
        f"        told = socket.socket(socket.AF_UNIX)\n        told.connect({server.getsockname()!r})\n"
        "        told.send(str(os.getpid()).encode())\n"
        "        threading.Event().wait()\n    return HistGradient",
    )
    service = write_service(tmp_path / "fraud", model=waits)
    command = [sys.executable, "-c", DIES_BEFORE, str(tmp_path / "home"), str(service), "ReleaseRegistered"]
    running = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
    said, _ = server.accept()  # when the fit has begun
    child = os.pidfd_open(int(said.recv(20)))
    running.kill()
    running.wait()
    ended = select.poll()  # not select(): a test process may have descriptors past 1023
    ended.register(child, select.POLLIN)
    assert ended.poll(60_000), "the training outlived the process that asked for it"
    os.close(child)
    assert running.stderr is not None
    printed = running.stderr.read().decode()  # to the end of the server, which has the same
    running.stderr.close()
    assert "BrokenPipe" not in printed, printed
    assert len(list((tmp_path / "home" / "work").glob("train-*/service"))) == 1
    said.close()
    server.close()
    gate.unlink()
    with opened(tmp_path / "home", trainer) as pipeline:
        assert not pipeline.registry("fraud").releases
        found = trained(pipeline, service)
        assert not found.cached
        assert pipeline.registry("fraud").champion == found.release.root
    assert list((tmp_path / "home" / "work").iterdir()) == []
