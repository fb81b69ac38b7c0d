"""What a reader meets: rooms of a human size, nothing left half done, nothing that only one machine understands."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
LINES_OF_A_FILE = 300
LINES_OF_A_FUNCTION = 70
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
INDEX_HOSTS = re.compile(
    "|".join(("py" + r"pi\.org", "python" + r"hosted\.org", r"registry\.npm" + "js", "deb" + r"\.debian"))
)
ABSOLUTE_FOLDERS = re.compile(r"(?<![\w.{}\])*/-])/" + r"(?:work|root|home|Users)/\w")


def test_a_source_file_is_one_concept_and_fits_a_few_screens() -> None:
    long = {_name(path): n for path in SOURCES if (n := len(path.read_text().splitlines())) > LINES_OF_A_FILE}
    assert not long


def test_a_function_is_seen_whole() -> None:
    long = {f"{_name(path)}: {name}": n for path in SOURCES for name, n in _functions(path) if n > LINES_OF_A_FUNCTION}
    assert not long


def test_nothing_is_left_half_done() -> None:
    found = [f"{_name(path)}:{n}: {line.strip()}" for path, n, line in _lines(SOURCES) if UNFINISHED.search(line)]
    assert not found


def test_no_error_is_swallowed() -> None:
    found = [
        f"{_name(path)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and all(isinstance(step, ast.Pass) for step in node.body)
    ]
    assert not found


def test_no_tracked_file_names_a_package_index_or_a_folder_of_one_machine() -> None:
    found = [
        f"{_name(path)}:{n}: {line.strip()[:100]}"
        for path, n, line in _lines(_tracked_texts())
        if INDEX_HOSTS.search(line) or ABSOLUTE_FOLDERS.search(line) or str(ROOT) + "/" in line
    ]
    assert not found


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def _tracked_texts() -> list[Path]:
    """Every file under version control that is text."""
    listed = subprocess.run(["git", "grep", "-I", "--name-only", "-e", ""], cwd=ROOT, capture_output=True, check=True)
    return [path for name in listed.stdout.decode().splitlines() if (path := ROOT / name).is_file()]


def _lines(paths: list[Path]) -> Iterator[tuple[Path, int, str]]:
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            yield path, number, line


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))
