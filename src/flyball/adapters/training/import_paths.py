"""Code that a training can import though no installer recorded its files.

That is: folders of PYTHONPATH and of `.pth` files, and the source trees of editable installations.

The interpreter of trainings is asked for its path, with their variables, once for each PYTHONPATH. The standard
library and site folders are left out: their distributions have RECORDs, as have those that were installed into a folder
of PYTHONPATH. Flyball's own sources are left out as well; they are the `evaluation` of an experiment.
"""

import json
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path
from sysconfig import get_paths
from urllib.parse import unquote, urlsplit

import flyball
from flyball.adapters.content.hashing import hash_file
from flyball.adapters.training.environment import search_path
from flyball.adapters.training.trainer import variables
from flyball.core.errors import Unavailable

OURS = "flyball"
MOST_FILES, MOST_BYTES = 5_000, 1 << 27  # of one folder; what lies beyond is not read, and the grade says so
_CODE = (".py", ".so", ".pyd")
_SITE = ("site-packages", "dist-packages")
_MARKS = ("pyvenv.cfg", "ledger.db", "ledger.url")  # of a virtual environment, and of homes
_PASSED_OVER = ("__pycache__", "node_modules", *_SITE)
_TELL = "import json, sys; print(json.dumps(sys.path))"

Tree = tuple[str, tuple[tuple[str, int, str], ...], bool]  # name, (path, size, SHA-256), whether that is all


def trees() -> tuple[Tree, ...]:
    """Every folder that holds code, in the order of imports; then editable installations whose code is found by a hook.

    Raises: Unavailable: a file cannot be read, or changes while it is read.
    """
    found: list[Tree] = []
    seen: set[str] = set()
    for name, root in (*_entries(), *editable()):
        place = os.path.realpath(root)
        if place in seen:
            continue
        seen.add(place)
        tree = read_tree(name, place)
        if tree[1] or not tree[2]:
            found.append(tree)
    return tuple(found)


def read_tree(name: str, root: str, *, most_files: int = MOST_FILES, most_bytes: int = MOST_BYTES) -> Tree:
    """The Python files below a folder, or an archive on the path; read piece by piece, in the order of their names."""
    files: list[tuple[str, int, str]] = []
    total = 0
    for path in _python_files(root) if os.path.isdir(root) else ("",):
        state, digest = hash_file(os.path.realpath(os.path.join(root, path) if path else root))
        files.append((unicodedata.normalize("NFC", path or os.path.basename(root)), state.st_size, digest))
        total += state.st_size
        if len(files) >= most_files or total >= most_bytes:
            return name, tuple(files), False
    return name, tuple(files), True


def _entries() -> Iterator[tuple[str, str]]:
    paths = get_paths()
    library = [os.path.realpath(paths[name]) for name in ("stdlib", "platstdlib")]
    for entry in _search_path(os.environ.get("PYTHONPATH"), os.getcwd()):
        place = os.path.realpath(entry)
        inside = any(place == each or place.startswith(each + os.sep) for each in library)
        if os.path.exists(place) and not inside and os.path.basename(place) not in _SITE:
            yield os.path.basename(place), place


@cache
def _search_path(_named: str | None, _folder: str) -> tuple[str, ...]:
    """`sys.path` of a training; relative entries depend on the folder."""
    command = [sys.executable, "-P", "-c", _TELL]
    try:
        told = subprocess.run(command, env=variables(), capture_output=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(f"the interpreter of trainings does not tell its path: {error}") from error
    return tuple(json.loads(told.stdout.splitlines()[-1]))


def editable() -> tuple[tuple[str, str], ...]:
    """(name, folder) of each source tree, read once for each search path as `environment.installed` is."""
    return read_editable(search_path())


@cache
def read_editable(path: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Those that are found from these folders."""
    return tuple(_editable(distributions(path=list(path))))


def _editable(installed: Iterable[Distribution]) -> Iterator[tuple[str, str]]:
    """Where a `.pth` names folders, only these can be imported from."""
    for each in installed:
        url = json.loads(each.read_text("direct_url.json") or "{}")
        address = urlsplit(str(url.get("url", "")))
        if not url.get("dir_info", {}).get("editable") or address.scheme != "file":
            continue
        name = re.sub(r"[-_.]+", "-", each.name).lower()
        if name == OURS:
            continue
        hooks = [file for file in each.files or () if file.name.endswith(".pth")]
        lines = [line.strip() for file in hooks for line in file.read_text().splitlines() if line.strip()]
        named = [line for line in lines if not line.startswith(("import ", "#"))]
        if named and not any(line.startswith("import ") for line in lines):
            yield from ((name, str(each.locate_file(line))) for line in named)
        else:
            yield name, unquote(address.path)


def _python_files(root: str) -> Iterator[str]:
    """Relative paths, sorted folder by folder. Links are followed, as imports do; no folder is entered twice."""
    recorded = _recorded(root)
    entered: set[str] = set()
    for folder, below, names in os.walk(root, followlinks=True):
        below[:] = sorted(name for name in below if _may_hold(root, folder, name, entered))
        for name in sorted(names):
            whole = os.path.join(folder, name)
            if name.endswith(_CODE) and os.path.isfile(whole):
                path = os.path.relpath(whole, root)
                if path not in recorded:
                    yield path


def _may_hold(root: str, folder: str, name: str, entered: set[str]) -> bool:
    """Not hidden, no virtual environment, no home of Flyball, not Flyball itself."""
    if name.startswith(".") or name in _PASSED_OVER or (name == OURS and folder == root):
        return False
    place = os.path.realpath(os.path.join(folder, name))
    if place in entered or any(os.path.exists(os.path.join(place, mark)) for mark in _MARKS):
        return False
    entered.add(place)
    return place != os.path.dirname(os.path.abspath(flyball.__file__))


def _recorded(root: str) -> frozenset[str]:
    """What the RECORDs of a folder name: `pip install --target`."""
    found: set[str] = set()
    for record in Path(root).glob("*.dist-info/RECORD"):
        found |= {line.rsplit(",", 2)[0] for line in record.read_text(errors="replace").splitlines()}
    return frozenset(found)
