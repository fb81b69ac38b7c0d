"""Where the readers of a contract's sections put what they find: faults, and promises that are not executed."""

import re
import warnings
from typing import Any, Protocol

from flyball.contracts.schema_faults import found
from flyball.contracts.yaml_text import Path


class Finder(Protocol):
    """Where faults and unexecuted promises go."""

    def fault(self, path: Path, expected: str, what: str, fix: str = "") -> None: ...

    def skip(self, path: Path, what: str) -> None: ...


def is_pattern(value: Any, at: Path, findings: Finder) -> bool:
    """Whether the value is a regular expression; if not, the findings say why."""
    if not isinstance(value, str):
        findings.fault(at, "a regular expression", found(value))
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # what will mean something else some day, such as [[:alpha:]]
            re.compile(value)
    except FutureWarning as warning:
        fix = "write a class of POSIX as [A-Za-z], and a [ within a class as \\["
        findings.fault(at, "a regular expression with one meaning", f"{value!r}: {warning}", fix)
        return False
    except re.error as error:
        findings.fault(at, "a regular expression", f"{value!r}: {error}")
        return False
    return True
