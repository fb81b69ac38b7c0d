"""The page of `flyball drift` in a real browser that reaches no network: its script runs, and nobody else's does."""

import re
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest

from flyball.app.cli.main import run

HOSTILE = '</script><script>document.title="taken"</script><img src=x onerror="document.title=1">'


@pytest.fixture
def browser() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("chromium is not there")
    return found


def test_two_hundred_columns_are_shown_and_markup_in_names_stays_text(tmp_path: Path, browser: str) -> None:
    steady, moved = [i % 10 for i in range(500)], [i % 3 for i in range(500)]
    names = [f"column {i}" for i in range(199)]
    before = pl.DataFrame(dict.fromkeys([HOSTILE, *names], steady))
    before.write_parquet(tmp_path / "before.parquet")
    before.with_columns(pl.Series(HOSTILE, moved)).write_parquet(tmp_path / "now.parquet")
    file = tmp_path / "report.html"
    assert run(["drift", str(tmp_path / "before.parquet"), str(tmp_path / "now.parquet"), "--html", str(file)]) == 0
    told = subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--dump-dom",
            file.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "200 of 200 columns shown" in told  # only the page's own script writes that
    assert re.search(r"<title>Drift: 1 of 200 columns</title>", told)
    assert told.count("<article") == 200
    assert "<img" not in told
