"""The arrows of `.importlinter` bite: each forbidden import, planted in a copy of the tree, breaks its contract."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PLANTED = {
    "Stages meet only through core": ("monitor/planted.py", "import flyball.decide\n"),
    "Only the composition root": ("control/planted.py", "import flyball.serving.serve\n"),
    "Everything else reads no clock": ("decide/planted.py", "import time\n"),
    "No cycles between siblings": ("stats/planted.py", "import flyball.stats.planted_too\n"),
    "Adapters know core only": ("adapters/planted.py", "import flyball.stats\n"),
}


@pytest.mark.parametrize("contract", PLANTED)
def test_a_forbidden_import_breaks_its_contract(contract: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    file, text = PLANTED[contract]
    planted = tmp_path / "src/flyball" / file
    planted.write_text(text)
    planted.with_stem("planted_too").write_text("import flyball.stats.planted\n")
    broken = [line for line in lint(tmp_path).splitlines() if " BROKEN" in line]
    assert any(line.startswith(contract) for line in broken), broken


def lint(folder: Path) -> str:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--config", ".importlinter"]
    environment = os.environ | {"PYTHONPATH": str(folder / "src")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False).stdout
