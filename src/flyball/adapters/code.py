"""Import a service's own code as a package of its own name, so that two releases never share a module.

Files of the code folder are siblings: `import helpers` and `from helpers import f` in the service's code mean the file
beside it, whatever else is installed under that name, and pickles name classes by the package (`flyball_code_<hex>.…`).
Nothing is ever written beside the sources: a cached bytecode file would be an unsigned file in a signed folder.
"""

import builtins
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

from flyball.core.ids import short
from flyball.core.model import Code

PREFIX = "flyball_code_"


def import_code(folder: str, digest: str, entry: str) -> Code:
    """The `train` and `features` of `entry` (a file name in `folder`), imported as `flyball_code_<12 hex>.<stem>`.

    Raises: AttributeError: there is no `train`; else what the code raises when it is imported.
    """
    package = PREFIX + short(digest)
    finder = _register(package, Path(folder))
    name = f"{package}.{_module_name(entry)}"
    module = sys.modules.get(name) or finder.load(name)
    if not callable(getattr(module, "train", None)):
        raise AttributeError(f"{entry} has no function train(features, label, *, config, seed)")
    return Code(train=module.train, features=getattr(module, "features", None))


class _Finder(MetaPathFinder):
    """Finds the modules of one code folder under its package name."""

    def __init__(self, package: str, folder: Path) -> None:
        self.package = package
        self.folder = folder

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 -- the import system's signature
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname != self.package and not fullname.startswith(self.package + "."):
            return None
        inside = self.folder.joinpath(*fullname.split(".")[1:])
        for file, is_package in ((inside / "__init__.py", True), (inside.with_suffix(".py"), False)):
            if fullname != self.package and file.is_file():
                return spec_from_loader(fullname, _Loader(fullname, file, self), is_package=is_package)
        if inside.is_dir():  # the package itself, and folders without __init__.py
            spec = ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = [str(inside)]
            return spec
        return None

    def load(self, name: str) -> ModuleType:
        __import__(name)
        return sys.modules[name]

    def is_sibling(self, name: str) -> bool:
        return self.find_spec(f"{self.package}.{name}") is not None


class _Loader(SourceLoader):
    """Reads source only; has no `path_stats`, so the import system neither reads nor writes bytecode."""

    def __init__(self, fullname: str, file: Path, finder: _Finder) -> None:
        self.fullname = fullname
        self.file = file
        self.finder = finder

    def get_filename(self, fullname: str) -> str:  # noqa: ARG002 -- the interface has it
        return str(self.file)

    def get_data(self, path: str | bytes) -> bytes:
        return Path(str(path)).read_bytes()

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = vars(builtins) | {"__import__": self._import}
        super().exec_module(module)

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] = (),
        level: int = 0,
    ) -> ModuleType:
        if level == 0 and self.finder.is_sibling(name):
            full = f"{self.finder.package}.{name}"
            module = self.finder.load(full)
            top = f"{self.finder.package}.{name.partition('.')[0]}"
            return module if fromlist else sys.modules[top]
        return builtins.__import__(name, globals, locals, fromlist, level)


def _register(package: str, folder: Path) -> _Finder:
    for found in sys.meta_path:
        if isinstance(found, _Finder) and found.package == package:
            found.folder = folder  # same digest, same files; the older folder may be gone
            return found
    finder = _Finder(package, folder)
    sys.meta_path.insert(0, finder)
    return finder


def _module_name(entry: str) -> str:
    return ".".join(Path(entry).with_suffix("").parts)
