"""Public names are few, sorted, real and explained."""

import importlib
import inspect
import pkgutil
from types import ModuleType

import flyball


def packages_with_a_surface() -> list[ModuleType]:
    walked = pkgutil.walk_packages(flyball.__path__, prefix="flyball.")
    found = [importlib.import_module(module.name) for module in walked if module.ispkg]
    return [package for package in found if hasattr(package, "__all__")]


def test_every_public_name_exists_is_sorted_and_stands_once() -> None:
    packages = packages_with_a_surface()
    assert packages, "no package states its public names"
    for package in packages:
        assert list(package.__all__) == sorted(set(package.__all__), key=_order), package.__name__
        missing = [name for name in package.__all__ if not hasattr(package, name)]
        assert not missing, package.__name__


def test_every_public_function_and_class_says_what_it_is() -> None:
    silent = [
        f"{package.__name__}.{name}"
        for package in packages_with_a_surface()
        for name in package.__all__
        if (inspect.isclass(thing := getattr(package, name)) or inspect.isroutine(thing)) and not thing.__doc__
    ]
    assert not silent


def _order(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions, each by name: ruff's RUF022 sorts so."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name
