"""What is installed here, read from each distribution's own RECORD (assurance grade C: nothing locks it)."""

import platform
import re
import sys
import sysconfig
from functools import cache
from hashlib import sha256
from importlib.metadata import Distribution, distributions


@cache
def installed() -> tuple[dict[str, str], tuple[tuple[str, str, str | None], ...]]:
    """(python, abi, platform, libc), and (normalised name, version, SHA-256 of RECORD) of each distribution, sorted.

    Read once a process. Where one name is installed twice on the path, the first counts, as it does for imports. An
    editable installation has no RECORD of its sources: its code belongs to the code tree, or to its version.
    """
    tags = {
        "python": f"{sys.implementation.name} {platform.python_version()}",
        "abi": str(sysconfig.get_config_var("SOABI") or sys.implementation.cache_tag),
        "platform": sysconfig.get_platform(),
        "libc": " ".join(platform.libc_ver()),
    }
    found: dict[str, tuple[str, str, str | None]] = {}
    for distribution in distributions():
        name = re.sub(r"[-_.]+", "-", distribution.name).lower()
        found.setdefault(name, (name, distribution.version, _record(distribution)))
    return tags, tuple(found[name] for name in sorted(found))


def _record(distribution: Distribution) -> str | None:
    text = distribution.read_text("RECORD")
    return None if text is None else sha256(text.encode()).hexdigest()
