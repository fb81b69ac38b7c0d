"""The page of a comparison: whole without a network, of bounded size, and deaf to what names and cells say."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import polars as pl

from flyball.app.cli.main import run

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    "<!-- ]]> &amp; --",
    "' onmouseover='alert(1)",
    "",
    "\u202e\x01 \n newline",
)


class Tags(HTMLParser):
    """Every element with its attributes, and the text outside of script and style."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def written(folder: Path, before: pl.DataFrame, now: pl.DataFrame) -> str:
    before.write_parquet(folder / "before.parquet")
    now.write_parquet(folder / "now.parquet")
    file = folder / "report.html"
    assert run(["drift", str(folder / "before.parquet"), str(folder / "now.parquet"), "--html", str(file)]) == 0
    return file.read_text()


def parsed(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    tags.close()
    return tags


def test_names_and_values_that_hold_markup_stay_text(tmp_path: Path) -> None:
    before = pl.DataFrame({name: [HOSTILE[i % 3] for i in range(600)] for name in HOSTILE})
    now = pl.DataFrame({name: [HOSTILE[i % 5 % 4] for i in range(600)] for name in HOSTILE})
    page = written(tmp_path, before, now)
    tags = parsed(page)
    assert [tag for tag, _ in tags.tags].count("script") == 1
    assert not any(tag in ("img", "iframe", "object", "link", "base") for tag, _ in tags.tags)
    assert not any(name.startswith("on") for _, attributes in tags.tags for name in attributes)
    assert {a["data-name"] for tag, a in tags.tags if tag == "article"} == set(HOSTILE)
    assert "{{ 7 * 7 }}" in tags.text
    assert "49" not in re.sub(r"[^\d ]", " ", tags.text).split()


def test_nothing_is_loaded_from_anywhere(tmp_path: Path) -> None:
    page = written(tmp_path, pl.DataFrame({"x": range(600)}), pl.DataFrame({"x": range(600)}))
    assert not re.search(r"(?:src|href|url|import)\s*[=(]", page)
    assert "default-src 'none'" in page
    assert not re.search(r"https?:", page)


def test_a_page_grows_with_columns_and_not_with_rows_or_categories(tmp_path: Path) -> None:
    dice = np.random.default_rng(3)

    def table(rows: int, columns: int) -> pl.DataFrame:
        words = [f"{'a long value ' * 20}{i}" for i in range(60)]
        numbers = {f"number {i}": dice.lognormal(i / 50, 1, rows) for i in range(columns // 2)}
        return pl.DataFrame(numbers | {f"word {i}": dice.choice(words, rows) for i in range(columns // 2)})

    few, many = (len(written(tmp_path, table(rows, 10), table(rows, 10))) for rows in (500, 5000))
    assert abs(many - few) < 0.05 * few
    wide = len(written(tmp_path, table(500, 200), table(500, 200)))
    assert wide < 200 * 10_000


def test_the_worst_comes_first_and_each_verdict_has_its_band(tmp_path: Path) -> None:
    even = [i % 10 for i in range(20_000)]
    before = pl.DataFrame({"calm": even, "some": [i % 2 for i in range(20_000)], "far": even, "gone": even})
    now = pl.DataFrame({"calm": even, "some": [int(i % 50 < 15) for i in range(20_000)], "far": [9] * 20_000})
    tags = parsed(written(tmp_path, before, now))
    found = [(a["data-name"], a["class"], a["data-verdict"]) for tag, a in tags.tags if tag == "article"]
    assert found == [
        ("far", "large", "DRIFT"),
        ("some", "some", "DRIFT"),
        ("gone", "none", "INVALID"),
        ("calm", "small", "OK"),
    ]
    assert "2 of 3 columns drifted: far, some." in tags.text


def test_the_picture_holds_the_worst_columns_and_no_markup_of_theirs(tmp_path: Path) -> None:
    before = pl.DataFrame({name or "(empty)": [i % 10 for i in range(600)] for name in HOSTILE})
    now = pl.DataFrame({name or "(empty)": [i % 5 for i in range(600)] for name in HOSTILE})
    before.write_parquet(tmp_path / "before.parquet")
    now.write_parquet(tmp_path / "now.parquet")
    file = tmp_path / "picture.svg"
    assert run(["drift", str(tmp_path / "before.parquet"), str(tmp_path / "now.parquet"), "--svg", str(file)]) == 0
    picture = file.read_text()
    assert "<script" not in picture
    assert "7 of 7 columns drifted" in picture
