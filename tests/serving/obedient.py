"""A release that obeys its rows; a module of its own, so that an arm process imports little.

`behaviour.json` gives its score. Where it says `"sick": true`, a row with `items` 13 fails, one with 99 is never
answered, and one with 97 ends the process. Where it says `"leak_mb": 4`, each row leaves four megabytes behind.
"""

import json
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flyball.core.prediction import Answer, ArmReply, Failure


class Obedient:
    """The release of a folder."""

    def __init__(self, release: str, *, sick: bool, score: float, leak_mb: float = 0.0) -> None:
        self.release, self._sick, self._score = release, sick, score
        self._leak_mb, self._leaked = leak_mb, list[bytes]()

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
        started = time.perf_counter()
        answers = tuple(self._answer(row) for row in rows)
        return ArmReply(answers=answers, service_ms=(time.perf_counter() - started) * 1e3)

    def _answer(self, row: dict[str, Any]) -> Answer | Failure:
        if self._leak_mb:
            self._leaked.append(b"x" * round(self._leak_mb * 1e6))
        if self._sick and row.get("items") == 13:
            return Failure(reason="exception", message="thirteen")
        if self._sick and row.get("items") == 97:
            os._exit(1)
        if self._sick and row.get("items") == 99:
            threading.Event().wait()
        return Answer(prediction=int(self._score >= 0.5), score=self._score)


def load(folder: str, *, release: str, once: bool) -> Obedient:
    """The loader that the stage names instead of the one for trained releases."""
    behaviour = json.loads((Path(folder) / "behaviour.json").read_text())
    return Obedient(release, **behaviour)
