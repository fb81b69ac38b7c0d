"""`flyball` in processes of its own, as a user types it: a verb to its end, a tree while a block runs."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

FLYBALL = [sys.executable, "-m", "flyball.app.cli"]


def run(*words: object) -> Any:
    """A verb to its end; its JSON document."""
    done = subprocess.run([*FLYBALL, *map(str, words), "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


@contextmanager
def tree(*words: object, ends_s: float | None = 60.0) -> Iterator[dict[str, Any]]:
    """`flyball up` on a free port: what it tells once it is ready. Afterwards nothing of it is left, within `ends_s`;
    None: however long that takes."""
    command = [*FLYBALL, "up", *map(str, words), "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        try:
            text = ""
            while not text.rstrip().endswith("}"):
                line = process.stdout.readline()
                assert line, "up ended before it was ready"
                text += line
            yield json.loads(text)
        finally:
            process.terminate()
            process.wait(ends_s)
