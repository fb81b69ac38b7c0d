"""A word to stop is heard however often, and in whatever moment, it is said."""

import os
import signal
import subprocess
import sys

import pytest

SLEEPER = """
import sys, threading, time
from flyball.app.wiring.loop.told_to_stop import until_told

def work(stopping):
    print("works", flush=True)
    stopping.wait(60)
    print("ends", flush=True)

class Slow:
    "As of an interpreter that takes its time to end, when its handlers are gone."
    def __del__(self, until=time.monotonic):
        end = until() + 0.5
        while until() < end:
            pass

sys.slow = Slow()
until_told(work)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_storm_of_signals_ends_it_once(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "works\n"
        for _ in range(200):  # with an event that the handler sets, one of some hundred waits for itself
            if process.poll() is None:
                os.kill(process.pid, number)
        assert process.stdout.read() == "ends\n"
        assert process.wait(60) == 0


def test_what_the_work_raises_is_raised() -> None:
    broken = "from flyball.app.wiring.loop.told_to_stop import until_told\nuntil_told(lambda _: 1 / 0)"
    done = subprocess.run([sys.executable, "-c", broken], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
