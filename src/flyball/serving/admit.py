"""May a row go to a model? The data contract's word on each row, before anything is assigned or predicted."""

from collections.abc import Sequence
from typing import Any

import msgspec

from flyball.core.contract import Checked, RowChecker


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the rows of one request, in order."""

    verdicts: tuple[Checked | None, ...]  # None: accepted
    rejected: int
    quarantined: int

    @property
    def accepted(self) -> int:
        return len(self.verdicts) - self.rejected - self.quarantined


def admit(checker: RowChecker, rows: Sequence[dict[str, Any]]) -> Admission:
    """Ask the contract about every row.

    *accept* goes to a model; *quarantine* is answered by the fallback chain and marked; *reject* gets an error.
    """
    verdicts = tuple(checker.check(rows))
    faulty = [verdict.verdict for verdict in verdicts if verdict is not None]
    return Admission(verdicts=verdicts, rejected=faulty.count("reject"), quarantined=faulty.count("quarantine"))


def code(checked: Checked) -> str:
    """A short reason without the value that broke the rule, fit for the log.

    >>> code(Checked(verdict="reject", column="amount", reason="type", message="expected number, found 'x'"))
    'type: amount'
    """
    return f"{checked.reason}: {checked.column}"


def complaint(checked: Checked) -> str:
    """What the client is told.

    >>> complaint(Checked(verdict="reject", column="amount", reason="type", message="expected number, found 'x'"))
    "amount: expected number, found 'x'"
    """
    text = checked.message
    return text if text.startswith(checked.column) else f"{checked.column}: {text}"
