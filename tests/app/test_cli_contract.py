"""`flyball contract lint | check | diff | draft` as somebody types it."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from jsonschema import Draft201909Validator
from ruamel.yaml import YAML

from flyball.app.cli.main import run
from flyball.app.wiring.training import quarantine
from flyball.core.errors import Unavailable

SCHEMAS = Path(__file__).resolve().parents[2] / "../shared/schemas/odcs"
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: cards
version: 1.0.0
status: active
schema:
  - name: cards
    properties:
      - {name: amount, logicalType: number, required: true, logicalTypeOptions: {minimum: 0}}
      - {name: country, logicalType: string}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v1.yaml").write_text(CONTRACT)
    (tmp_path / "v2.yaml").write_text(CONTRACT.replace("1.0.0", "1.0.1").replace("minimum: 0", "minimum: 1"))
    (tmp_path / "new.csv").write_text("amount,country,more\n5,no,a\n-1,se,b\n,dk,c\n")
    return tmp_path


def answer(capfd: pytest.CaptureFixture[str], *tokens: str) -> tuple[int, Any]:
    capfd.readouterr()
    code = run(["contract", *tokens, "--json"])
    return code, json.loads(capfd.readouterr().out)


def test_lint_tells_all_faults_at_once(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert answer(capfd, "lint", "v1.yaml")[0] == 0
    Path("bad.yaml").write_text(CONTRACT.replace("number", "nmber").replace("id: cards\n", ""))
    code, document = answer(capfd, "lint", "bad.yaml")
    assert code == 2
    assert [fault["path"] for fault in document["error"]["faults"]] == ["id", "schema[0].properties[0].logicalType"]


@pytest.mark.parametrize("old", ["status: active\n", "kind: DataContract\n", "version: 1.0.0\n", "logicalType: string"])
def test_what_the_published_schema_refuses_lint_refuses(
    folder: Path, old: str, capfd: pytest.CaptureFixture[str]
) -> None:
    published = SCHEMAS / "odcs-json-schema-v3.1.0.json"
    if not published.exists():
        pytest.skip("published schemas are not there (../shared/schemas)")
    validator = Draft201909Validator(json.loads(published.read_text()))
    broken = CONTRACT.replace(old, "logicalType: strng" if "logicalType" in old else "")
    Path("broken.yaml").write_text(broken)
    for text, code in ((CONTRACT, 0), (broken, 2)):
        Path("it.yaml").write_text(text)
        assert bool(list(validator.iter_errors(YAML(typ="safe").load(text)))) == bool(code)
        assert answer(capfd, "lint", "it.yaml")[0] == code


def test_check_keeps_the_rows_that_are_not_accepted(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, document = answer(capfd, "check", "v1.yaml", "new.csv", "--quarantine", "kept")
    assert code == 1
    assert document["data"]["accepted"] == 1
    file = Path(document["quarantine"]["file"])
    rows = pl.read_parquet(file)
    assert rows.rows() == [
        ("amount.range", "range", "quarantine", 1, "cards", "1.0.0", -1, "se", "b"),
        ("amount.required", "required", "reject", 2, "cards", "1.0.0", None, "dk", "c"),
    ]
    assert rows.columns[-3:] == ["amount", "country", "more"]
    assert file.stat().st_mode & 0o077 == 0
    again = answer(capfd, "check", "v1.yaml", "new.csv", "--quarantine", "kept")[1]
    assert [path.name for path in Path("kept").iterdir()] == [file.name]
    assert again["quarantine"]["file"] == str(file)
    # what was kept can be judged again, and gets columns beside those it has
    twice = answer(capfd, "check", "v1.yaml", str(file), "--quarantine", "twice")[1]
    assert pl.read_parquet(twice["quarantine"]["file"]).columns[0] == "_flyball_rule"


def test_nothing_half_written_stays_when_the_disk_refuses(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise Unavailable(f"{path.name}: the disk does not take it")

    monkeypatch.setattr(quarantine, "write_whole", full)
    assert run(["contract", "check", "v1.yaml", "new.csv", "--quarantine", "kept"]) == 3
    assert not Path("kept").exists()


def test_sound_data_are_0_and_nothing_is_kept(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("new.csv").write_text("amount,country\n5,no\n")
    code, document = answer(capfd, "check", "v1.yaml", "new.csv", "--quarantine", "kept")
    assert (code, document["quarantine"]) == (0, None)
    assert not Path("kept").exists()


TIMED = CONTRACT.replace(
    "version: 1.0.0", "version: 1.0.0\nslaProperties: [{property: latency, value: 4, unit: d}]"
) + ("      - {name: at, logicalType: timestamp}\n")


@pytest.mark.parametrize(
    ("at", "code", "standing"), [("2020-01-01T00:00:00Z", 1, "VIOLATED"), ("", 0, "UNKNOWN"), ("now", 0, "OK")]
)
def test_check_judges_the_service_levels(
    folder: Path, at: str, code: int, standing: str, capfd: pytest.CaptureFixture[str]
) -> None:
    when = datetime.now(UTC).isoformat() if at == "now" else at
    Path("timed.yaml").write_text(TIMED)
    Path("new.csv").write_text(f"amount,country,at\n5,no,{when}\n")
    found, document = answer(capfd, "check", "timed.yaml", "new.csv")
    assert (found, document["ok"], document["data"]["passed"]) == (code, code == 0, True)
    assert [(level["level"], level["standing"]) for level in document["levels"]] == [("latency of at", standing)]
    assert run(["contract", "check", "timed.yaml", "new.csv"]) == code
    out = capfd.readouterr().out
    assert f"service level latency of at: {standing}" in out
    assert ("keeps the contract." in " ".join(out.split())) is (code == 0)


PLACED = CONTRACT + (
    "      - name: at\n        logicalType: timestamp\n"
    "        logicalTypeOptions: {ZONE, minimum: '2026-07-01T08:00:00Z', maximum: '2026-07-01T08:00:00Z'}\n"
)


def test_times_with_and_without_an_offset_stand_together_where_the_contract_places_the_latter(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """And a column without any offset is read in the same zone."""
    Path("placed.yaml").write_text(PLACED.replace("ZONE", "defaultTimezone: Europe/Oslo"))
    Path("nowhere.yaml").write_text(PLACED.replace("ZONE, ", ""))
    Path("mixed.csv").write_text("amount,country,at\n5,no,2026-07-01T10:00:00\n5,no,2026-07-01T08:00:00Z\n")
    Path("plain.csv").write_text("amount,country,at\n5,no,2026-07-01T10:00:00\n5,no,2026-07-01T10:00:00\n")
    for data in ("mixed.csv", "plain.csv"):
        code, document = answer(capfd, "check", "placed.yaml", data, "--table", "cards")
        assert (code, document["data"]["violations"]) == (0, [])
    code, document = answer(capfd, "check", "nowhere.yaml", "mixed.csv", "--table", "cards")
    assert code == 2
    assert "a time zone in every row or in none" in document["error"]["faults"][0]["expected"]


@pytest.mark.filterwarnings("error")
def test_a_pattern_that_will_mean_something_else_is_a_fault_and_no_warning(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    posix = "logicalType: string, logicalTypeOptions: {pattern: '^[[:alpha:]]+$'}"
    Path("posix.yaml").write_text(CONTRACT.replace("logicalType: string", posix))
    capfd.readouterr()
    assert run(["contract", "lint", "posix.yaml"]) == 2
    err = capfd.readouterr().err
    assert "FutureWarning" not in err
    assert "a regular expression with one meaning" in " ".join(err.split())


PSI = "{metric: psi, baseline: then.csv, tolerance: 0.1}"
CLAUSE = f"quality: [{{id: drift, type: custom, engine: flyball, implementation: {PSI}}}]"


def test_check_reads_what_a_clause_compares_with_beside_the_contract(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("c").mkdir()
    Path("c/drift.yaml").write_text(CONTRACT.replace("required: true", f"required: true, {CLAUSE}"))
    Path("same.csv").write_text("amount\n" + "".join(f"{row}\n" for row in range(2000)))
    Path("half.csv").write_text("amount\n" + "".join(f"{row % 1000}\n" for row in range(2000)))
    code, document = answer(capfd, "check", "c/drift.yaml", "same.csv")
    assert (code, document["error"]["faults"][0]["where"]) == (2, "c/then.csv")
    Path("c/then.csv").write_text(Path("same.csv").read_text())
    assert answer(capfd, "check", "c/drift.yaml", "same.csv")[0] == 0
    code, document = answer(capfd, "check", "c/drift.yaml", "half.csv")
    assert (code, [found["rule"] for found in document["data"]["violations"]]) == (1, ["drift"])


def test_diff_says_no_with_every_reason(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, document = answer(capfd, "diff", "v1.yaml", "v2.yaml")
    assert code == 1
    assert (document["bump"], document["versions"]["proposed"], document["compatible"]) == ("major", "2.0.0", False)
    assert [change["path"] for change in document["changes"]] == ["cards.amount.range"]
    assert document["breaks"][0]["direction"] == "backward"
    Path("v2.yaml").write_text(Path("v2.yaml").read_text().replace("1.0.1", "2.0.0"))
    assert answer(capfd, "diff", "v1.yaml", "v2.yaml", "--mode", "FORWARD")[0] == 0
    assert answer(capfd, "diff", "v1.yaml", "v2.yaml", "--mode", "NONE")[0] == 0
    assert answer(capfd, "diff", "v1.yaml")[0] == 2
    assert run(["contract", "diff", "v1.yaml", "v2.yaml"]) == 1
    assert "BACKWARD: BROKEN" in capfd.readouterr().out


def test_draft_writes_a_contract_that_its_sample_keeps_and_a_page_without_network(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    table = pl.DataFrame(
        {
            "order_id": [f"o{i}" for i in range(200)],
            "email": [f"secret{i}@example.org" for i in range(200)],
            "x": [float(i) for i in range(200)],
            "note": ["<script>alert(1)</script>", "b"] * 100,
            "y": [0, 1] * 100,
        }
    )
    table.write_parquet("orders.parquet")
    words = ("draft", "orders.parquet", "--out", "o.yaml", "--profile", "o.html", "--label", "y")
    code, document = answer(capfd, *words)
    assert code == 0
    assert document["personal"] == {"email": "pii"}
    assert {warning["kind"] for warning in document["warnings"]} == {"leakage"}  # `note` follows the label
    assert run(["contract", "check", "o.yaml", "orders.parquet"]) == 0
    page = Path("o.html").read_text()
    assert not re.search(r"https?:|//|<script|<link|@import|url\(|src=", page)
    assert "secret" not in page
    assert "&lt;script&gt;" in page
    assert page.count("<th scope=") > 10
    assert page.count("<table>") == page.count("<caption>")
    assert '<html lang="en">' in page
    assert answer(capfd, *words)[0] == 2  # nothing is overwritten
