"""What is installed here, read from each distribution's RECORD; the container image, where somebody tells it."""

import os
import platform
import re
import sys
from functools import cache
from hashlib import sha256
from importlib.metadata import Distribution, distributions
from sysconfig import get_config_var

from flyball.core.errors import BadInput, Fault

IMAGE_VARIABLE = "FLYBALL_IMAGE_DIGEST"
OURS = "flyball"  # its code has a field of its own in the experiment's document

_INSIDE_SITE = re.compile(r"[/\\](?:site|dist)-packages[/\\].")

# written by whoever installs, not by whoever built: they differ between two installations of the same files
_INSTALLERS = ("/INSTALLER", "/REQUESTED", "/direct_url.json", "/uv_cache.json", "/RECORD")


@cache
def tags() -> dict[str, str]:
    """os, arch, libc, implementation, python, abi."""
    return {
        "os": sys.platform,
        "arch": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
        "implementation": sys.implementation.name,
        "python": platform.python_version(),
        "abi": str(get_config_var("SOABI") or sys.implementation.cache_tag),
    }


def installed(*path: str) -> tuple[tuple[str, str, str | None], ...]:
    """(normalised name, version, digest of RECORD) of each distribution, sorted.

    Read once for each search path. Where one name is installed twice on the path, the first counts, as it does for
    imports. The RECORD of an editable installation names no sources: those are read by `adapters.import_paths`.

    Args: path: folders to look in, else `sys.path`.
    """
    return read_installed(path or search_path())


def search_path() -> tuple[str, ...]:
    """`sys.path` without folders inside of site folders: a package that brings copies of others for itself adds such
    ones when it is imported (Ray does), and what is installed does not depend on what has been imported.
    """
    return tuple(entry for entry in sys.path if not _INSIDE_SITE.search(entry))


@cache
def read_installed(path: tuple[str, ...]) -> tuple[tuple[str, str, str | None], ...]:
    """What lies on these folders: a process whose path changes does not go on with what it found before."""
    found: dict[str, tuple[str, str, str | None]] = {}
    for distribution in distributions(path=list(path)):
        name = re.sub(r"[-_.]+", "-", distribution.name).lower()
        if name != OURS:
            found.setdefault(name, (name, distribution.version, _record(distribution)))
    return tuple(found[name] for name in sorted(found))


def image() -> str | None:
    """Digest of the OCI platform manifest of the container this runs in, as the deployment hands it in.

    Nothing inside a container tells it (a pod sees the name of its image, not the digest), so whoever starts one sets
    FLYBALL_IMAGE_DIGEST.

    Raises: BadInput: a tag, or another text that is no digest.
    """
    text = os.environ.get(IMAGE_VARIABLE, "").strip()
    if not text:
        return None
    digest = text.rpartition("@")[2]
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        expected = "sha256: and 64 hex digits, or name@sha256:..."
        fault = Fault(where="environment", path=IMAGE_VARIABLE, expected=expected, found=text, fix="a tag can move")
        raise BadInput("The container image is not named by a digest.", (fault,))
    return digest


def _record(distribution: Distribution) -> str | None:
    """Digest over the lines of RECORD that belong to the distribution itself: a script's first line holds a path of
    this machine, compiled files come and go, and installers leave notes of their own.
    """
    text = distribution.read_text("RECORD")
    if text is None:
        return None
    kept = sorted(line for line in text.splitlines() if _is_of_the_build(line.rsplit(",", 2)[0]))
    return sha256("\n".join(kept).encode()).hexdigest()


def _is_of_the_build(path: str) -> bool:
    return not (path.startswith(("..", "/")) or path.endswith(_INSTALLERS) or "__pycache__/" in path)
