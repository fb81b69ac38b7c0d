"""The documentation builds without a warning and its pages ask no other host for anything."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FETCHED = re.compile(r"""<(?:script|img|iframe|link(?=[^>]*stylesheet))[^>]*(?:src|href)=["'](?:https?:)?//[^"']*""")


def test_the_site_builds_without_a_warning_and_without_the_network(tmp_path: Path) -> None:
    command = ["--fail-on-warning", "--keep-going", "--nitpicky", "--builder", "html", "docs", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > 5
    fetched = {str(page.relative_to(tmp_path)): found for page in pages if (found := FETCHED.findall(page.read_text()))}
    assert not fetched
