"""What a training's exception says of the data stays in the log of the run."""

import json
import stat
from pathlib import Path

import pytest
from tests.pipeline.fraud import MODEL, SERVICE, write_service

from flyball.app.cli.main import run

SECRETS = ("jo.miller@firm.org", "4111 1111 1111 1111", "AKIAIOSFODNN7ABCDEFG")
RAISES = MODEL.replace("    return Hist", f"    raise ValueError({' '.join(SECRETS)!r})\n    return Hist")
EVENTS = """events:
  - {format: openlineage, to: "file:lineage.jsonl"}
  - {format: cdevents, to: "file:events.jsonl"}
"""


@pytest.mark.parametrize("executor", ["subprocess", "in_process"])
def test_an_address_a_card_and_a_key_are_in_the_log_and_nowhere_else(
    executor: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, folder = tmp_path / "home", tmp_path / "fraud"
    monkeypatch.setenv("FLYBALL_HOME", str(home))
    service = SERVICE.replace("  metric: roc_auc\n", f"  metric: roc_auc\n  executor: {executor}\n", 1) + EVENTS
    write_service(folder, model=RAISES, service=service)
    assert run(["train", str(folder)]) == 1
    capsys.readouterr()
    assert run(["runs", "list", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["runs"]
    assert "[e-mail address] [payment card] [AWS access key]" in found["error"]
    assert "ValueError" in found["error"]
    assert run(["reproduce", found["experiment"], "--json"]) == 3
    told = capsys.readouterr().out
    log = home / "runs" / found["run"] / "log"
    assert all(secret in log.read_text() for secret in SECRETS)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    kept = {path for path in home.rglob("*") if path.is_file() and "blobs" not in path.parts} - {log}
    texts = {str(path): path.read_bytes().decode(errors="replace") for path in kept} | {"reproduce": told}
    assert [(name, secret) for name, text in texts.items() for secret in SECRETS if secret in text] == []
    sent = "".join((home / name).read_text() for name in ("lineage.jsonl", "events.jsonl"))
    assert "ValueError" in sent
    assert '"FAIL"' in sent
    assert '"failure"' in sent
    assert "[payment card]" not in sent
