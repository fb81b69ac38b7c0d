"""Personal data and secrets: each planted kind is found wherever it hides, and the numbers of real tables are not."""

import pickle
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from flyball.pipeline.suites.detectors import kinds
from flyball.pipeline.suites.personal import Finding, in_file, in_table, redacted, told

PLANTED = {
    "e-mail address": "jo.public@firm.org",
    "payment card": "4111 1111 1111 1111",
    "IBAN": "GB82 WEST 1234 5698 7654 32",
    "phone number": "+44 20 7946 0958",
    "public IP address": "81.2.69.142",
    "US social security number": "078-05-1120",
    "Spanish DNI": "12345678Z",
    "Italian tax code": "RSSMRA85T10A562S",
    "NHS number": "943 476 5919",
    "AWS access key": "AKIA" + "IOSFODNN7EXAMPLE",
    "Google API key": "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
    "GitHub token": "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "Slack token": "xoxb-" + "123456789012-abcdefGHIJKL",
    "Azure storage key": "AccountKey=" + "q" * 86 + "==",
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "JSON web token": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVPmB92",
    "password in an address": "postgres://app:" + "hunter2@db.firm.org/prod",
    "secret token": "api_key = " + "'Zk3x9QvT7bLm2Rw8Yp5s'",
}


@pytest.mark.parametrize("kind", PLANTED)
def test_each_kind_is_found_in_text_a_table_a_log_a_plot_and_a_model(kind: str) -> None:
    value = PLANTED[kind]
    assert kind in {found for found, _ in kinds(f"see {value} please")}
    table = pl.DataFrame({"note": ["nothing", f"see {value} please"]})
    places = [
        *in_table(table, file="probe.parquet"),
        *in_file("train.log", f"ok\nsee {value} please\n".encode()),
        *in_file("plot.svg", f"<svg><text>{value}</text></svg>".encode()),
        *in_file("model.pkl", pickle.dumps({"categories": ["x", f"see {value} please"]}, protocol=5)),
        *in_file("model.pkl", pickle.dumps(np.array(["x", f"see {value} please"]), protocol=5)),
        *in_file("model.onnx", b"\x08\x07\x12\x99\x00" + f"see {value} please".encode() + b"\x00\xff\xfe"),
    ]
    assert [one.kind for one in places].count(kind) == 6
    assert not [one for one in places if value in str(one)], "a finding repeats the value"


def test_a_long_column_and_a_long_file_are_read_to_their_end() -> None:
    notes = [f"visit {i} was without complaint" for i in range(100_000)]
    for row in range(7, 100_000, 5000):
        notes[row] = f"ask p{row}@firm.org"
    (found,) = in_table(pl.DataFrame({"note": notes}), file="data")
    assert (found.kind, found.count) == ("e-mail address", 20)
    key = PLANTED["AWS access key"]
    for text in ("word " * 820_000 + key, "ok\n" * 1_400_000 + key, "x " * 9_990 + key + " y" * 30_000):
        assert [(one.kind, one.count) for one in in_file("a.log", text.encode())] == [("AWS access key", 1)]
    blob = b"\x00\xff" * 2_100_000 + b" " + key.encode() + b" "
    assert [one.kind for one in in_file("model.bin", blob)] == ["AWS access key"]
    assert [one.kind for one in in_file("model.pkl", pickle.dumps([blob], protocol=5))] == ["AWS access key"]


@pytest.mark.parametrize("kind", PLANTED)
def test_every_kind_holds_a_hint(kind: str) -> None:
    assert in_table(pl.DataFrame({"n": [f"see {PLANTED[kind]} please"]}), file="data")


@pytest.mark.parametrize(
    "text",
    [
        "order 4111111111111112 and 1234567890123456",
        "amount 1234567.89, 3000000000000.0, 0.4111111111111111",
        "2026-01-01T00:00:00 took 12.345 s, version 1.26.4, 10.0.0.7 and 127.0.0.1",
        "someone@example.com, noreply@test",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "GB00WEST12345698765432 is no account",
        "token count 12, password: (redacted)",
    ],
)
def test_numbers_versions_digests_and_examples_are_not_taken_for_more(text: str) -> None:
    assert list(kinds(text)) == []


def test_a_column_of_cards_is_found_and_a_column_of_ids_is_not() -> None:
    rng = np.random.default_rng(0)
    ids = rng.integers(4 * 10**15, 5 * 10**15, 500)  # one in ten passes the check digit
    cards = [4111111111111111, 4012888888881881, 4222222222222220, 5500000000000004, 5105105105105100] * 4
    cards += [4000056655665556, 5200828282828210, 4242424242424242, 4917610000000000]
    found = in_table(pl.DataFrame({"id": ids}), file="data")
    assert found == ()
    assert [one.kind for one in in_table(pl.DataFrame({"n": cards}), file="data")] == ["payment card"]
    assert [one.kind for one in in_table(pl.DataFrame({"n": [str(c) for c in cards]}), file="data")] == ["payment card"]


@pytest.mark.slow
def test_the_real_tables_hold_nothing_as_they_are_and_as_text(data_folder: Path) -> None:
    """The rate of false alarms that docs/explanation/the-test-suites.md states: 0 of 231 columns, each read twice."""
    columns = 0
    for path in sorted(data_folder.glob("*/*.parquet")):
        table = pl.read_parquet(path)
        columns += table.width
        assert in_table(table, file=path.name) == ()
        assert in_table(table.select(pl.all().cast(pl.String)), file=path.name) == ()
    assert columns == 231


def test_a_classified_column_is_known_in_the_data_and_must_be_redacted_where_it_is_kept() -> None:
    table = pl.DataFrame({"mail": ["jo@firm.org", "al@firm.org"], "x": [1, 2]})
    assert in_table(table, file="data", personal=["mail"]) == ()
    kept = in_table(table, file="probe.parquet", personal=["mail"], kept=True)
    assert [one.kind for one in kept] == ["classified as personal, and not redacted"]
    assert in_table(redacted(table, ["mail"]), file="probe.parquet", personal=["mail"], kept=True) == ()


def test_a_warning_stops_nothing_and_nothing_read_is_no_pass() -> None:
    found = [Finding(file="train.log", place="line 2", kind="e-mail address")]
    strict = told(found, looked_at={"bytes": 10}, mode="fail", name="n").tests[0]
    lenient = told(found, looked_at={"bytes": 10}, mode="warn", name="n").tests[0]
    assert [(one.verdict, one.hard) for one in (strict, lenient)] == [("FAIL", True), ("FAIL", False)]
    assert "train.log: line 2: e-mail address" in strict.reason
    assert told([], looked_at={}, mode="fail", name="n").tests[0].verdict == "FAIL"


def test_chance_among_the_bytes_of_a_model_is_no_address_and_an_address_among_them_is() -> None:
    noise = np.random.default_rng(7).bytes(2_000_000)
    model = b"\x08\x0a" + b"\xf1\x00W@x.Kd\x00z_@Q.abX\xf0" + noise  # what weights look like by chance
    assert in_file("model.onnx", model) == ()
    assert [found.kind for found in in_file("model.onnx", model + b"\x00jo.doe@firm.org\x00")] == ["e-mail address"]
