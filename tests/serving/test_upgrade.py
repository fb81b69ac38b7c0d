"""Counters that another version of ours left are set aside by name, and never read as ours."""

import os
import struct
import tempfile
from pathlib import Path

import pytest
from tests.serving.parts import CANDIDATE, CHAMPION, routing, row
from tests.serving.stage import Stage, stage

from flyball.serving.counting.counter_file import MAGIC
from flyball.serving.serve.workers.counters import mapped_slot, mapped_units, set_aside

OLDER = MAGIC - 1


def altered(path: Path, place: int, word: int) -> None:
    """One 8-byte word of a file, as another version might have written it."""
    data = bytearray(path.read_bytes())
    data[8 * place : 8 * place + 8] = struct.pack("=q", word)
    path.write_bytes(data)


def test_counters_of_another_layout_make_room_and_are_kept(tmp_path: Path) -> None:
    for name, made in (("counters.bin", mapped_slot), ("units.bin", mapped_units)):
        path = tmp_path / name
        assert set_aside(path) is None
        made(path)
        assert set_aside(path) is None, "our own stays"
        altered(path, 0, OLDER)
        before = path.read_bytes()
        aside = set_aside(path)
        assert aside is not None
        assert (aside.name, aside.read_bytes()) == (f"{name}.layout-{OLDER & 0xFF}", before)
        assert not path.exists()


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_gateway_after_an_upgrade_serves_by_its_table_and_says_what_begins_anew(tmp_path: Path, workers: int) -> None:
    with stage(tmp_path, workers=workers) as made:
        made.release(CHAMPION)
        made.release(CANDIDATE)
        made.start()
        made.control.apply("all", routing(previous=None, weight=10_000, guardrails=None))
        assert made.predict(row())[0]["arm"] == "candidate"
        assert made.end() == 0
        folder = made.home.gateway("shop")
        altered(folder / "counters.bin", 0, OLDER)
        altered(folder / "units.bin", 0, OLDER)
        assert "was set aside" in said_by(made)
        assert made.predict(row())[0]["arm"] == "candidate"
        counts = made.control.observe("shop").counts
        assert counts is not None
        assert counts.candidate.requests == 1
        assert len(list(folder.glob("*.layout-*"))) == 2
        assert made.end() == 0


def said_by(made: Stage) -> str:
    """What the gateway says while it starts."""
    with tempfile.TemporaryFile() as errors:
        made.errors = errors.fileno()
        made.start()
        return os.pread(errors.fileno(), 1 << 16, 0).decode()
