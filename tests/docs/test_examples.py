"""Every example of the documentation is run or checked, page by page, from top to bottom.

The convention, by the language of the fence:

- `python`: executed; the blocks of a page share one namespace.
- `console`: each line that begins with `$ ` is run by bash in the page's own new folder and has to exit with 0 (a
  refusal is shown as `command || echo "exit $?"`). Lines below a command are its output, as doctest compares it:
  blanks are free and `...` stands for anything. A trailing `\\` continues a command; `cd` and variables end with their
  line; what is started with `&` runs until the page ends. `make` commands are dry runs in the repository: `.ci/run`
  and the slow tests run them in earnest. A database that a page names is a new one of a server of the tests.
- `yaml`: read as `service.yaml` is read; a piece of one is first laid over a small whole one. A `kind: Gateway` is read
  as that; a data contract is validated as ODCS. What other projects read is read here as far as it has to do with us:
  `tests/app/api/test_templates.py`.
- `json`: has to parse. `text`: shows, and is not run.

A fence of any other kind fails. Sybil finds the blocks; what only the test needs may stand in its invisible form,
`<!--- invisible-code-block: python ... --->`.
"""

import doctest
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from open_data_contract_standard.model import OpenDataContractStandard
from ruamel.yaml import YAML
from sybil import Example
from sybil.document import Document
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser
from tests import postgres
from tests.serving.stage import free_port

from flyball.contracts.declaration.gateway_file import parse as parse_gateway
from flyball.contracts.declaration.service_file import parse
from flyball.core.errors import BadInput

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LANGUAGES = {"console", "json", "python", "text", "yaml"}
SMALL_SERVICE: dict[str, Any] = {
    "apiVersion": "flyball/v1",
    "kind": "Service",
    "metadata": {"name": "small", "owner": "somebody"},
    "data": {"contract": "contract.yaml", "source": "data.csv", "label": "label"},
    "experiment": {"task": "binary", "metric": "roc_auc"},
}
COMMAND_TIMEOUT_S = 300
FOREIGN = ("argoproj.io/v1alpha1", "flagger.app/v1beta1")
DATABASE = "postgresql://flyball@db.example/flyball"
PORT = re.compile(r"\b864[0-9]\b")
DRAFTED = {
    "metric: latency_p99_ms\n    max: 100\n": "metric: latency_p99_ms\n    max: 60000\n",
    "latency_p99_ms: 100}\n  deadline_ms: 1000 ": "latency_p99_ms: 60000}\n  deadline_ms: 60000 ",
}


class Shell:
    """Runs a page's commands in one folder and ends at last what was started in the background."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.groups: list[int] = []

    def __call__(self, example: Example) -> str | None:
        for command, expected in transcript(example.parsed):
            status, output = self.run(command)
            if status != 0:
                return f"$ {command}\nexit code {status}\n{output}"
            options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            if expected and not doctest.OutputChecker().check_output(expected, output, options):
                return f"$ {command}\nexpected:\n{expected}\nfound:\n{output}"
            if command.startswith("flyball init "):
                patient(self.folder / command.split()[2] / "service.yaml")
        return None

    def run(self, command: str) -> tuple[int, str]:
        if command.startswith("make "):
            command = f"make --directory='{ROOT}' --dry-run {command.removeprefix('make ')}"
        # a file, since a pipe would wait for what runs in the background; one of its own, since that goes on writing
        with (self.folder / f".output-{len(self.groups)}").open("w+b") as output:
            process = subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", command],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self.groups.append(process.pid)
            status = process.wait(COMMAND_TIMEOUT_S)
            output.seek(0)
            return status, output.read().decode()

    def close(self) -> None:
        for group in self.groups:
            try:
                os.killpg(group, signal.SIGTERM)
            except ProcessLookupError:
                continue  # it had ended by itself


def patient(service: Path) -> None:
    """What is drafted on the time of an answer is about the reader's machine. On one that other tests load it would
    refuse the model of a page that speaks of something else, or take an arm that stands still for a moment for one that
    is worse: what is drafted is true, and then has no bound here."""
    text = service.read_text()
    for drafted, endless in DRAFTED.items():
        assert drafted in text, f"{service.name} drafts another bound on the time of an answer: name it in this file"
        text = text.replace(drafted, endless)
    service.write_text(text)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLYBALL_HOME")  # the state stands where the page says it does: beside the service
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("COLUMNS", "120")
    runner = Shell(tmp_path)
    yield runner
    runner.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_example_of_a_page_works(request: pytest.FixtureRequest, page: Path, shell: Shell) -> None:
    text = with_free_ports(page.read_text())
    if DATABASE in text:
        text = text.replace(DATABASE, postgres.place(request.getfixturevalue("postgres_server")))
    if "curl " in text and shutil.which("curl") is None:
        pytest.skip("curl is not there")
    document = Document(text, str(page))
    for parser in (
        PythonCodeBlockParser(),
        CodeBlockParser("console", shell),
        CodeBlockParser("yaml", is_a_valid_declaration),
        CodeBlockParser("json", is_json),
    ):
        for region in parser(document):
            document.add(region)
    for example in document.examples():
        example.evaluate()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_fence_says_how_it_is_checked(page: Path) -> None:
    fences = [token for token in MarkdownIt().parse(page.read_text()) if token.type == "fence"]
    unknown = [f"line {token.map[0] + 1}: {token.info!r}" for token in fences if token.map and not _known(token.info)]
    assert not unknown


def with_free_ports(text: str) -> str:
    """The page with a free port for each that it names, the same for the same."""
    named = sorted(set(PORT.findall(text)))
    free = {name: str(free_port()) for name in named}
    return PORT.sub(lambda found: free[found[0]], text)


def is_a_valid_declaration(example: Example) -> str | None:
    value = YAML(typ="safe").load(StringIO(example.parsed))
    if isinstance(value, dict) and value.get("kind") == "DataContract":
        OpenDataContractStandard.model_validate(value)
        return None
    if isinstance(value, dict) and value.get("apiVersion") in FOREIGN:
        return None
    if not isinstance(value, dict):
        return "a mapping was expected: a whole service.yaml, or a piece of one from its first level on"
    try:
        if value.get("kind") == "Gateway":
            parse_gateway(json.dumps(value))
        else:
            parse(json.dumps(SMALL_SERVICE | value))
    except BadInput as error:
        return str(error)
    return None


def is_json(example: Example) -> None:
    json.loads(example.parsed)


def transcript(block: str) -> list[tuple[str, str]]:
    """A console block as commands, each with the output that is shown below it."""
    found: list[tuple[str, str]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line.removeprefix("$ "), ""))
        elif not found:
            raise ValueError(f"a console block begins with a command, `$ ...`; found {line!r}")
        elif found[-1][0].endswith("\\") and not found[-1][1]:
            found[-1] = (f"{found[-1][0].removesuffix(chr(92))}{line.lstrip()}", "")
        else:
            found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
    return found


def test_a_command_that_fails_or_says_something_else_is_found(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    assert shell(example("console", "$ echo one \\\n  two\none ...\n")) is None
    assert "exit code 3" in (shell(example("console", "$ exit 3\n")) or "")
    assert "expected" in (shell(example("console", "$ echo one\ntwo\n")) or "")


def test_a_model_of_a_page_is_not_refused_for_the_time_that_a_loaded_machine_takes(tmp_path: Path) -> None:
    service, others = tmp_path / "service.yaml", "gates:\n  - metric: roc_auc\n    min: 0.7\n  - "
    service.write_text(others.join(DRAFTED))
    patient(service)
    assert service.read_text() == others.join(DRAFTED.values())
    with pytest.raises(AssertionError, match="another bound"):
        patient(service)


def test_a_port_of_a_page_becomes_a_free_one_and_two_become_two() -> None:
    first, second, again, other = with_free_ports("8643 8644 8643 86430").split()
    assert first == again != second
    assert not {first, second} & {"8643", "8644"}
    assert other == "86430"


def test_a_wrong_key_in_a_piece_of_yaml_is_found() -> None:
    assert is_a_valid_declaration(example("yaml", "monitor: {window_rows: 500}\n")) is None
    assert "windows" in (is_a_valid_declaration(example("yaml", "monitor: {windows: 500}\n")) or "")


def example(language: str, text: str) -> Example:
    """The one example of a page that holds nothing else."""
    document = Document(f"```{language}\n{text}```\n", "page.md")
    for region in CodeBlockParser(language, lambda _: None)(document):
        document.add(region)
    (only,) = document.examples()
    return only


def _known(info: str) -> bool:
    return info in LANGUAGES or info.startswith("{")  # braces: a directive of the documentation builder
