"""The environment and the Flyball of this process, put together from what the adapters read."""

import os
from functools import cache
from importlib.metadata import version
from pathlib import Path

import flyball
from flyball.adapters.training import environment as found
from flyball.adapters.training import import_paths
from flyball.app.declared import read_text
from flyball.core.errors import Refused
from flyball.core.release import File
from flyball.pipeline.beside import Beside
from flyball.pipeline.environment import Distribution, Environment, Lock, Platform, environment
from flyball.pipeline.identity import Evaluation
from flyball.pipeline.locks import NAMES, parse_lock
from flyball.pipeline.manifest import of_bytes

LOCK_VARIABLE = "FLYBALL_LOCK"


def environment_of(folder: Path | None) -> Environment:
    """What a training here runs in; the lock is FLYBALL_LOCK's, else one beside the service (`folder`).

    Raises: BadInput: a lock file cannot be read, or the image is not named by a digest. Unavailable: code beside the
        installation cannot be read.
    """
    installed = tuple(Distribution(name=n, version=v, record=r) for n, v, r in found.installed())
    beside = tuple(
        Beside(name=name, files=tuple(File(path=p, size=n, sha256=h) for p, n, h in files), whole=whole)
        for name, files, whole in import_paths.trees()
    )
    return environment(Platform(**found.tags()), installed, image=found.image(), lock=_lock(folder), beside=beside)


def demand_lock(environment: Environment) -> None:
    """Raises: Refused: nothing pins this environment, or it has drifted from what pins it."""
    if environment.grade in ("C", "D"):
        told = "\n".join(f"  {words}" for words in environment.drift)
        raise Refused(
            f"the environment is not locked: {environment.reason}\n{told}".rstrip(),
            hint="install from the lock, or train without --locked",
        )


@cache
def evaluation() -> Evaluation:
    """The Flyball that is imported here: its version, and a manifest over its files.

    The files and not the RECORD of the installation, so that a wheel, an editable installation and a wheel that was
    edited afterwards are named by what they are.
    """
    root = Path(flyball.__file__).parent
    files = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    return Evaluation(version=version("flyball"), digest=of_bytes(files).root)


def _lock(folder: Path | None) -> Lock | None:
    named = os.environ.get(LOCK_VARIABLE)
    if named:
        return parse_lock(read_text(Path(named), where=LOCK_VARIABLE), file=Path(named).name)
    for name in NAMES if folder is not None else ():
        assert folder is not None
        if (folder / name).is_file():
            lock = parse_lock(read_text(folder / name, where=name), file=name)
            if lock is not None:
                return lock
    return None
