"""A child does not outlive its parent, and does not take a parent with the id 1 for a dead one."""

import subprocess
import sys

import pytest

STARTS_A_CHILD = """
import asyncio, os, sys, tempfile
from pathlib import Path
from flyball.app.wiring.processes.children import Child

async def main():
    code = "import os; print('child of', os.getppid())"
    with tempfile.TemporaryDirectory() as folder:
        process = await Child("child", ["-c", code], pid_file=Path(folder) / "pid").start()
        line = await process.stdout.readline()
        await process.wait()
    print(os.getpid(), line.decode().strip())

asyncio.run(main())
"""
NEW_PROCESS_IDS = ("unshare", "--user", "--map-root-user", "--pid", "--fork")  # not every machine allows it


def may_count_processes_anew() -> bool:
    try:
        return subprocess.run([*NEW_PROCESS_IDS, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("within", [(), NEW_PROCESS_IDS] if may_count_processes_anew() else [()])
def test_a_child_starts_whatever_the_id_of_its_parent(within: tuple[str, ...]) -> None:
    done = subprocess.run([*within, sys.executable, "-c", STARTS_A_CHILD], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    parent, told = done.stdout.split(maxsplit=1)
    assert told.strip() == f"child of {parent}"
    assert (parent == "1") == bool(within)


# in a process of its own: one that is full of threads, as this one is, cannot fork and then run Python with certainty
FORKS_A_CHILD = """
import os, subprocess, sys
from functools import partial
from flyball.app.wiring.processes.children import die_with_parent

# an orphan finds another parent than the one that forked it
parent = os.getpid() if sys.argv[1] == "alive" else os.getppid()
command = [sys.executable, "-c", "print('here')"]
done = subprocess.run(command, capture_output=True, text=True, preexec_fn=partial(die_with_parent, parent))
print(done.returncode, done.stdout.strip(), end="")
"""


@pytest.mark.parametrize(("parent", "told"), [("alive", "0 here"), ("dead", "0 ")])
def test_a_child_whose_parent_has_died_meanwhile_ends_at_once(parent: str, told: str) -> None:
    command = [sys.executable, "-c", FORKS_A_CHILD, parent]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, told), done.stderr
