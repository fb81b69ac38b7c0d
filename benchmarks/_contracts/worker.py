"""How each tool answers: it validates once a line on standard input, and tells seconds and counts as JSON."""

import json
import sys
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def serve(version: str, validate: Callable[[], Found], count: Callable[[Found], dict[str, int]]) -> None:
    """`validate` is timed; `count` reads how often each rule is broken out of its result, and is not."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # a tool that prints must not disturb the answers
    print(json.dumps({"version": version}), file=answers, flush=True)
    for _ in sys.stdin:
        begun = time.perf_counter()
        found = validate()
        seconds = time.perf_counter() - begun
        print(json.dumps({"seconds": seconds, "counts": count(found)}), file=answers, flush=True)
