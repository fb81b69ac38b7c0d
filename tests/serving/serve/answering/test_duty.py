"""What one of several processes does for all has one doer at a time, and another when that one ends."""

import subprocess
import sys
from pathlib import Path

from flyball.serving.serve.answering.duty import Duty

HOLDER = """
import sys
from pathlib import Path
from flyball.serving.serve.answering.duty import Duty
duty = Duty(Path(sys.argv[1]))
print(duty.mine(), flush=True)
sys.stdin.read()
"""


def test_the_first_who_asks_keeps_it_and_the_next_has_it_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "exercise"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        here = Duty(path)
        assert not here.mine()
        assert not here.mine()
        holder.kill()
        holder.wait()
    assert here.mine()
    assert here.mine()
    assert not Duty(path).mine()


def test_one_process_alone_has_every_duty_and_a_folder_that_is_gone_gives_none(tmp_path: Path) -> None:
    assert Duty(None).mine()
    assert not Duty(tmp_path / "gone" / "exercise").mine()
