"""Import a service's own code as a package of its own name, so that two releases never share a module.

Files of the code folder are siblings: `import helpers` and `from helpers import f` in the service's code mean the file
beside it, whatever else is installed under that name, and pickles name classes by the package (`flyball_code_<hex>.…`).
Nothing is ever written beside the sources: a cached bytecode file would be an unsigned file in a signed folder.
"""

import builtins
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

from flyball.adapters.models.own_model import OwnEstimator, is_own
from flyball.adapters.models.xgboost_model import BoosterEstimator, is_booster
from flyball.core.ids import short
from flyball.core.model import CODE_PACKAGE, Code


def import_code(folder: str, digest: str, entry: str) -> Code:
    """The `train` and `features` of `entry` (a file name in `folder`), imported as `flyball_code_<12 hex>.<stem>`.

    Raises: AttributeError: there is no `train`; else what the code raises when it is imported.
    """
    module = _imported(folder, digest, entry)
    if not callable(getattr(module, "train", None)):
        raise AttributeError(f"{entry} has no function train(features, label, *, config, seed)")
    return Code(train=_adopting(module.train), features=getattr(module, "features", None))


def functions_of(folder: str, digest: str, entry: str) -> dict[str, Any]:
    """What stands in `entry`, by name; imported as `import_code` does it. Raises: what the code raises."""
    return vars(_imported(folder, digest, entry))


def _imported(folder: str, digest: str, entry: str) -> ModuleType:
    package = CODE_PACKAGE + short(digest)
    finder = _register(package, Path(folder))
    name = f"{package}.{_module_name(entry)}"
    return sys.modules.get(name) or finder.load(name)


def _adopting(train: Callable[..., Any]) -> Callable[..., Any]:
    """What it returns behind the interface of scikit-learn, also where that is not its own."""

    @wraps(train)
    def adopted(*given: Any, **named: Any) -> Any:
        found = train(*given, **named)
        if is_booster(found):
            return BoosterEstimator(found)
        return OwnEstimator(found) if is_own(found) else found

    return adopted


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
