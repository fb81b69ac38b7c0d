"""What a version has to become after a change: major for what breaks somebody, minor for more, patch for words.

Source: Semantic Versioning 2.0.0, sections 4, 6-8. Under 1.0.0 "anything may change"; there we let the second number
carry the breaking changes, as package managers do, so that such a contract can be versioned at all.
"""

import re
from collections.abc import Iterable
from typing import Literal

Bump = Literal["none", "patch", "minor", "major"]
ORDER: tuple[Bump, ...] = ("none", "patch", "minor", "major")
_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[-+].*)?\Z")


def parse_version(text: str) -> tuple[int, int, int] | None:
    """The three numbers of a version, absent ones 0; None where it is no version.

    >>> parse_version("1.4.2"), parse_version("v2"), parse_version("1.0.0-rc.1"), parse_version("latest")
    ((1, 4, 2), (2, 0, 0), (1, 0, 0), None)
    """
    match = _VERSION.match(text.strip())
    if match is None:
        return None
    major, minor, patch = (int(part or 0) for part in match.groups())
    return major, minor, patch


def largest(bumps: Iterable[Bump]) -> Bump:
    """The bump that covers all of them.

    >>> largest(["patch", "major", "minor"]), largest([])
    ('major', 'none')
    """
    return max(bumps, key=ORDER.index, default="none")


def raised(version: str, bump: Bump) -> str | None:
    """The smallest version that says such a change; None where the old one is no version.

    >>> raised("1.4.2", "minor"), raised("1.4.2", "major"), raised("0.3.1", "major"), raised("1.4.2", "none")
    ('1.5.0', '2.0.0', '0.4.0', '1.4.2')
    """
    parts = parse_version(version)
    if parts is None:
        return None
    major, minor, patch = parts
    if major == 0 and bump in ("minor", "major"):
        bump = "minor" if bump == "major" else "patch"
    match bump:
        case "none":
            return f"{major}.{minor}.{patch}"
        case "patch":
            return f"{major}.{minor}.{patch + 1}"
        case "minor":
            return f"{major}.{minor + 1}.0"
        case "major":
            return f"{major + 1}.0.0"


def misnumbered(old: str, new: str, bump: Bump) -> str | None:
    """What is wrong with the declared version, in words; None where it says at least as much as the changes.

    >>> misnumbered("1.0.0", "1.1.0", "major")
    'expected at least 2.0.0 after 1.0.0 for a major change, found 1.1.0'
    >>> misnumbered("1.0.0", "2.0.0", "minor") is None
    True
    """
    unreadable = [text for text in (old, new) if parse_version(text) is None]
    if unreadable:
        return f"expected versions of the form 1.2.3, found {' and '.join(unreadable)}"
    least = raised(old, bump) or old
    if (parse_version(new) or ()) >= (parse_version(least) or ()):
        return None
    if bump == "none":
        return f"expected at least {least}, for versions only rise, found {new}"
    return f"expected at least {least} after {old} for a {bump} change, found {new}"
