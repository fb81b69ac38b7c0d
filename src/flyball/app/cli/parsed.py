"""Could a command be run? Asked of the parser that would run it, without running it."""

import shutil
from collections.abc import Sequence

from cyclopts import CycloptsError


def fault_of(words: Sequence[str]) -> str:
    """Why it could not be run, in words; empty where it could.

    >>> fault_of(["flyball", "status", "fraud"])
    ''
    >>> fault_of(["flyball", "statis"])
    'flyball has no verb statis'
    """
    if words[:1] != ["flyball"]:
        return "" if words and shutil.which(words[0]) else "no such program is installed"
    from flyball.app.cli.main import VERBS, build

    if len(words) < 2 or words[1] not in VERBS:
        return f"flyball has no verb {' '.join(words[1:2]) or '(none)'}"
    try:
        command, _, _ = build().parse_args(words[1:], exit_on_error=False, print_error=False)
    except CycloptsError as error:
        return " ".join(str(error).split())
    return "" if getattr(command, "__module__", "").startswith("flyball.") else f"{words[1]} needs a verb of its own"
