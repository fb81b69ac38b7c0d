"""An arm's process whose gateway ends while it answers, and one that may not load its release."""

import json
import socket
import subprocess
import sys
from pathlib import Path

from flyball.core.errors import Untrusted
from flyball.serving.frames import LENGTH, Hello, Question, packed, unpacked

PATIENCE_S = 60.0


def test_a_gateway_that_is_gone_is_no_error_of_the_arm(tmp_path: Path) -> None:
    (tmp_path / "behaviour.json").write_text(json.dumps({"sick": False, "score": 0.5}))
    path = str(tmp_path / "s")
    words = ["--release", str(tmp_path), "--socket", path, "--loader", "tests.serving.obedient:load", "--root", "r"]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        listener.settimeout(PATIENCE_S)
        arm = subprocess.Popen(
            [sys.executable, "-m", "flyball.app.wiring.processes.arm", *words], stderr=subprocess.PIPE
        )
        wire, _ = listener.accept()
        with wire:
            wire.settimeout(PATIENCE_S)
            size = LENGTH.unpack(wire.recv(LENGTH.size, socket.MSG_WAITALL))[0]
            assert unpacked(wire.recv(size, socket.MSG_WAITALL)) == Hello("r")
            wire.sendall(packed(Question(1, [{}])))
        _, said = arm.communicate(timeout=PATIENCE_S)
    assert (arm.returncode, said) == (0, b"")


def test_a_gateway_that_is_gone_before_the_arm_is_warm_is_no_error_either(tmp_path: Path) -> None:
    (tmp_path / "behaviour.json").write_text(json.dumps({"sick": False, "score": 0.5}))
    words = ["--release", str(tmp_path), "--socket", str(tmp_path / "gone"), "--loader", "tests.serving.obedient:load"]
    arm = subprocess.run(
        [sys.executable, "-m", "flyball.app.wiring.processes.arm", *words, "--root", "r"],
        check=False,
        stderr=subprocess.PIPE,
        timeout=PATIENCE_S,
    )
    assert (arm.returncode, arm.stderr) == (0, b"")


def load(folder: str, *, release: str, once: bool) -> object:
    """The loader of a release that may not be loaded."""
    raise Untrusted(f"{release} was altered", hint="train it again")


def test_a_release_that_may_not_be_loaded_is_one_line_and_its_exit_code(tmp_path: Path) -> None:
    words = ["--release", str(tmp_path), "--socket", str(tmp_path / "s"), "--loader", f"{__name__}:load", "--root", "r"]
    arm = [sys.executable, "-m", "flyball.app.wiring.processes.arm", *words]
    done = subprocess.run(arm, capture_output=True, text=True, check=False)
    assert done.returncode == Untrusted.exit_code
    assert done.stderr == "gateway: release r cannot be loaded: r was altered (train it again)\n"
