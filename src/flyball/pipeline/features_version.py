"""Which files the features function comes from: a version that moves with them and with nothing else.

Read from the syntax tree, nothing is imported. The unit is the file: a function may use anything of its own module, so
where `train` and `features` share a file, a change of either is a new version. A module that only holds features keeps
its version when the training code beside it changes.
"""

import ast
from collections.abc import Iterator, Mapping

from flyball.core.codec import digest
from flyball.pipeline.identity import FeaturesVersion
from flyball.pipeline.manifest import of_bytes


def features_version(code: Mapping[str, bytes], entry: str) -> FeaturesVersion:
    """The version of the features code that `entry` (a file in `code`) offers.

    >>> one = {"model.py": b"from cols import features", "cols.py": b"def features(frame): return frame"}
    >>> other = one | {"model.py": b"from cols import features  # trains otherwise"}
    >>> features_version(one, "model.py") == features_version(other, "model.py")
    True
    """
    start = _defined_in(code, entry)
    if start is None:
        return FeaturesVersion(kind="plain", digest=digest("flyball/features/v1", {"kind": "plain"}))
    reached = _reached(code, start)
    tree = of_bytes({path: code[path] for path in reached}).root
    return FeaturesVersion(kind="function", digest=digest("flyball/features/v1", {"file": start, "tree": tree}))


def _defined_in(code: Mapping[str, bytes], path: str) -> str | None:
    """The file that defines `features`, followed through imports; None: there is no such function."""
    seen: set[str] = set()
    while path not in seen:
        seen.add(path)
        nodes = ast.parse(code[path]).body
        following = None
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and any((a.asname or a.name) == "features" for a in node.names):
                following = next(iter(_siblings(code, path, node)), None)
            elif _defines(node):
                return path
        if following is None:
            return None
        path = following
    return path


def _defines(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == "features" for target in node.targets)
    return isinstance(node, ast.FunctionDef) and node.name == "features"


def _reached(code: Mapping[str, bytes], start: str) -> set[str]:
    """The file and every file of the tree that it imports, directly or not; files that are no Python count always, as
    any code may read them."""
    reached = {path for path in code if not path.endswith(".py")}
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        for node in ast.walk(ast.parse(code[path])):
            if isinstance(node, ast.Import | ast.ImportFrom):
                waiting += _siblings(code, path, node)
    return reached


def _siblings(code: Mapping[str, bytes], path: str, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """Files of the tree that an import means: `a.b` is `a/b.py`, `a/b/__init__.py`, or the name b in `a.py`."""
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    else:
        base = node.module or ""
        if node.level:
            base = ".".join(part for part in (*path.split("/")[: -node.level], base) if part)
        modules = [base, *(f"{base}.{alias.name}".lstrip(".") for alias in node.names)]
    for module in modules:
        stem = module.replace(".", "/")
        yield from (each for each in (f"{stem}.py", f"{stem}/__init__.py") if stem and each in code)
