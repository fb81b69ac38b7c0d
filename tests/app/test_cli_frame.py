"""The frame of the command line: exit codes, documents, hints, and a start that imports next to nothing."""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from keyword import iskeyword
from pathlib import Path
from typing import Any

import pytest

from flyball.app.cli import door
from flyball.app.cli.main import INTERRUPTED, VERBS, build, run
from flyball.core.errors import BadInput, Conflict, Fault, FlyballError, NotEnoughData, Unavailable

HEAVY = ("polars", "sklearn", "numpy", "jsonschema", "uvicorn", "cryptography")


def flyball(*tokens: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "flyball.app.cli", *tokens]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.fixture
def verb_that(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Puts another function in the place of `flyball schema`."""

    def put(action: Callable[[], Any]) -> None:
        def schema(*, json: door.JsonFlag = False) -> Any:
            return action()

        monkeypatch.setattr("flyball.app.cli.schema.schema", schema)

    return put


def test_the_help_lists_every_verb_without_importing_one() -> None:
    code = f"""
import sys
from flyball.app.cli.main import run
assert run(["--help"]) == 0
loaded = [name for name in {HEAVY!r} if name in sys.modules]
assert not loaded, loaded
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(verb in done.stdout for verb in VERBS)


def test_every_verb_has_its_module_its_help_and_json(capfd: pytest.CaptureFixture[str]) -> None:
    groups = {
        "ab": ("start", "weigh", "show", "stop"),
        "alerts": ("list", "ack", "silence", "unsilence", "test"),
        "contract": ("lint", "check", "diff", "draft"),
        "events": ("list", "log", "redeliver", "send"),
        "exception": ("request", "confirm", "revoke", "list"),
        "incident": ("list", "show", "close", "postmortem"),
        "keys": ("new", "list", "drop"),
        "ledger": ("verify", "tail", "export"),
        "monitor": ("status", "history", "selftest"),
        "predictions": ("query", "attribute", "show", "summary", "tidy"),
        "rollout": ("status", "history", "plan", "start", "pause", "resume", "promote", "abort", "undo", "retry"),
        "runbook": ("list", "show", "run"),
        "runs": ("list", "show", "compare"),
        "slo": ("status", "rules", "export", "lint"),
    }
    assert groups.keys() <= VERBS.keys()
    for verb in VERBS:
        name = f"{verb}_" if iskeyword(verb) else verb
        module = importlib.import_module(f"flyball.app.cli.{name}")
        assert hasattr(module, "app") == (verb in groups)
        assert hasattr(module, "app" if verb in groups else name)
        commands = groups.get(verb, ("",))
        for command in commands:
            assert run([verb, *filter(None, [command]), "--help"]) == 0
            assert "--json" in capfd.readouterr().out, verb


def test_a_verb_that_does_not_exist_is_bad_input_with_the_nearest_one() -> None:
    done = flyball("chek", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["faults"][0]["fix"] == "did you mean check?"


@pytest.mark.parametrize("tokens", [["schema", "--nonsense"], ["schema", "extra"], ["init"], ["--nonsense"]])
def test_wrong_options_are_bad_input_and_never_a_traceback(
    tokens: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(tokens) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FlyballError("could not"), 3),
        (Unavailable("gone"), 3),
        (Conflict("no"), 1),
        (NotEnoughData("few"), 1),
        (BadInput("bad"), 2),
        (ZeroDivisionError("division by zero"), 3),
    ],
)
def test_each_error_has_its_exit_code_and_a_document(
    error: Exception,
    code: int,
    verb_that: Callable[[Callable[[], Any]], None],
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise error

    verb_that(fail)
    assert run(["schema", "--json"]) == code
    out, err = capfd.readouterr()
    assert set(json.loads(out)["error"]) == {"message", "faults", "hint"}
    assert err == ""
    assert run(["schema"]) == code
    out, err = capfd.readouterr()
    assert out == ""
    assert str(error) in err


def test_faults_and_hint_reach_people_and_programs(
    verb_that: Callable[[Callable[[], Any]], None], capfd: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        fault = Fault(where="f.yaml", path="a[0].b", expected="text", found="[3]", fix="quote it")
        raise BadInput("It is bad.", (fault,), hint="look again")

    verb_that(fail)
    run(["schema"])
    assert capfd.readouterr().err == (
        "error: It is bad.\n  f.yaml: a[0].b: expected text, found [3] (quote it)\nhint: look again\n"
    )
    run(["schema", "--json"])
    told = json.loads(capfd.readouterr().out)["error"]
    assert told["message"] == "It is bad."
    assert told["faults"] == [
        {"where": "f.yaml", "path": "a[0].b", "expected": "text", "found": "[3]", "fix": "quote it"}
    ]
    assert told["hint"] == "look again"


def test_an_unexpected_error_is_one_line_unless_the_traceback_is_asked_for(
    verb_that: Callable[[Callable[[], Any]], None],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verb_that(lambda: 1 / 0)
    run(["schema"])
    quiet = capfd.readouterr().err
    assert "Traceback" not in quiet
    assert "FLYBALL_TRACEBACK=1" in quiet
    monkeypatch.setenv("FLYBALL_TRACEBACK", "1")
    run(["schema"])
    assert "Traceback" in capfd.readouterr().err


def test_a_verb_says_no_by_its_return_value(verb_that: Callable[[Callable[[], Any]], None]) -> None:
    verb_that(lambda: 1)
    assert run(["schema"]) == 1
    verb_that(lambda: None)
    assert run(["schema"]) == 0


def test_an_interrupt_is_130(verb_that: Callable[[Callable[[], Any]], None]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    verb_that(interrupt)
    assert run(["schema"]) == INTERRUPTED


def test_a_reader_that_leaves_is_no_error_message() -> None:
    command = f"{sys.executable} -m flyball.app.cli schema | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("{", "")


def test_a_document_may_go_to_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    door.emit_to({"ok": True}, str(tmp_path / "out.json"), text=lambda: "words [3]")
    assert capfd.readouterr().out == "words [3]\n"
    assert json.loads((tmp_path / "out.json").read_text()) == {"ok": True}
    door.emit_to({"ok": True}, "-", text=lambda: "words")
    assert json.loads(capfd.readouterr().out) == {"ok": True}
    with pytest.raises(BadInput):
        door.emit_to({}, str(tmp_path / "no" / "out.json"), text=lambda: "words")


def test_progress_is_silent_where_nobody_watches(capfd: pytest.CaptureFixture[str]) -> None:
    with door.progress("counting", 3) as advance:
        advance()
        advance(2, note="almost")
    assert capfd.readouterr() == ("", "")


def test_the_tree_of_verbs_can_be_built_twice() -> None:
    assert build() is not build()
