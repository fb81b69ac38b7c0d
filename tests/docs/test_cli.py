"""The page of the command line has a section for each verb, with its options and the keys of its document."""

import json
import random
import re
from pathlib import Path

import msgspec
import polars as pl
import pytest
from tests.drafted import untimed

from flyball.app.backtest.report import Backtest
from flyball.app.cli.gc import Collection
from flyball.app.cli.main import VERBS, build, run
from flyball.app.cli.status import ServiceStatus
from flyball.app.demo.report import Report
from flyball.app.drills.report import DrillReport
from flyball.app.people import Act
from flyball.app.rehearse.report import Report as Rehearsed
from flyball.app.wiring.api.run import Answering
from flyball.app.wiring.asking.differing import Compared
from flyball.app.wiring.asking.lineage import Trace
from flyball.app.wiring.backup.backup import Backup
from flyball.app.wiring.backup.restore import Restored
from flyball.app.wiring.serving.up import Running
from flyball.app.wiring.training.reproducing import Reproduced
from flyball.control.explain import Explanation

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
EVERYWHERE = {"--home", "--json"}
DOCUMENTS: dict[str, type[msgspec.Struct]] = {
    "api": Answering,
    "gc": Collection,
    "approve": Act,
    "backup": Backup,
    "demo": Report,
    "drill": DrillReport,
    "restore": Restored,
    "diff": Compared,
    "backtest": Backtest,
    "rehearse": Rehearsed,
    "reproduce": Reproduced,
    "explain": Explanation,
    "lineage": Trace,
    "status": ServiceStatus,
    "up": Running,
}

GROUPS = {
    "ab": ("start", "weigh", "show", "stop"),
    "alerts": ("list", "ack", "silence", "unsilence", "test"),
    "monitor": ("status", "history", "selftest"),
    "predictions": ("query", "attribute", "show", "summary", "tidy"),
    "rollout": (
        *("plan", "status", "history", "explain", "start", "pause"),
        *("resume", "promote", "abort", "undo", "retry"),
    ),
    "runbook": ("list", "show", "run"),
    "runs": ("list", "show", "compare"),
    "contract": ("lint", "check", "diff", "draft"),
    "exception": ("request", "confirm", "revoke", "list"),
    "events": ("list", "log", "redeliver", "send"),
    "incident": ("list", "show", "close", "postmortem"),
    "keys": ("new", "list", "drop"),
    "ledger": ("verify", "tail", "export", "use"),
    "slo": ("status", "rules", "export", "lint"),
}


def sections() -> dict[str, str]:
    """Text below each heading, by the heading; what stands above the first of them under the empty name."""
    parts = re.split(r"^## (.+)$", PAGE.read_text(), flags=re.MULTILINE)
    return {"": parts[0]} | dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_verb_has_a_section_in_the_order_of_the_help() -> None:
    assert list(sections())[1:] == list(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_a_section_names_every_option_and_no_other(verb: str) -> None:
    command = build()[verb]
    commands = [command[name] for name in GROUPS[verb]] if verb in GROUPS else [command]
    arguments = [argument for each in commands for argument in each.assemble_argument_collection()]
    options = {name for argument in arguments for name in argument.names if name.startswith("--")}
    known = {name for name in options if not name.startswith("--empty-")} - EVERYWHERE
    named = set(re.findall(r"--[a-z][a-z-]*", sections()[verb])) - EVERYWHERE
    assert named == known
    for name in EVERYWHERE:
        assert f"`{name}" in sections()[""]


@pytest.mark.parametrize("verb", DOCUMENTS)
def test_a_section_names_every_key_of_a_recorded_document(verb: str) -> None:
    assert unnamed([field.name for field in msgspec.structs.fields(DOCUMENTS[verb])], verb) == []


def test_the_sections_of_init_check_train_and_contract_name_what_these_print(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dice = random.Random(7)
    x = [dice.random() for _ in range(1000)]
    table = pl.DataFrame({"x": x, "y": [value + dice.random() > 1 for value in x]})  # plain, and no leak
    table.write_parquet(tmp_path / "table.parquet")
    folder = str(tmp_path / "small")
    for words in (
        ["init", folder, "--data", str(tmp_path / "table.parquet"), "--label", "y"],
        ["check", folder],
        ["train", folder],
        ["contract", "lint", f"{folder}/contract.yaml"],
        ["contract", "check", f"{folder}/contract.yaml", str(tmp_path / "table.parquet")],
        ["contract", "diff", f"{folder}/contract.yaml", f"{folder}/contract.yaml"],
        ["contract", "draft", str(tmp_path / "table.parquet")],
    ):
        assert run([*words, "--json"]) == 0
        assert unnamed(list(json.loads(capfd.readouterr().out)), words[0]) == []
        if words[0] == "init":
            untimed(tmp_path / "small" / "service.yaml")


def unnamed(keys: list[str], verb: str) -> list[str]:
    return [key for key in keys if f"`{key}`" not in sections()[verb]]
