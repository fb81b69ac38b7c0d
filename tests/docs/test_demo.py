"""The README's first command, in earnest."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_demo_sees_all_that_it_promises(tmp_path: Path) -> None:
    report = tmp_path / "demo.json"
    flyball = Path(sys.executable).with_name("flyball")
    done = subprocess.run(
        [flyball, "demo", "--json", report], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    seen = json.loads(report.read_text())
    assert seen["ok"]
    assert seen["ledger"]["verified"]
    assert {rollback["cause"] for rollback in seen["rollbacks"]} >= {"errors", "slow"}
    assert seen["drift"]["promoted"]
