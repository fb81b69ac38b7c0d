"""The one tree of errors: each says what was expected, what came and what to do, and carries its exit code.

Exit codes (`docs/reference/exit-codes.md`): 0 done, 1 the answer is no, 2 bad input, 3 could not be done.
"""

import msgspec


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong with an input; all faults of an input are reported at once."""

    where: str  # file, table or route that holds the fault
    path: str  # place inside it: `rollout.steps[2].weight`, `amount`, `rows[3].card_id`
    expected: str
    found: str
    fix: str = ""  # what to do about it

    def __str__(self) -> str:
        hint = f" ({self.fix})" if self.fix else ""
        return f"{self.where}: {self.path}: expected {self.expected}, found {self.found}{hint}"


class FlyballError(Exception):
    """Root of everything we raise on purpose."""

    exit_code = 3
    hint = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        if hint:
            self.hint = hint


class BadInput(FlyballError):
    """A file, an option or a declaration is faulty; carries every fault found."""

    exit_code = 2

    def __init__(self, message: str, faults: tuple[Fault, ...] = (), *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {fault}" for fault in self.faults)])


class Refused(FlyballError):
    """The answer is no: a gate failed, data violate the contract, a right is missing."""

    exit_code = 1


class NotAllowed(Refused):
    """The person has none of the roles that this asks for."""


class Conflict(Refused):
    """Somebody else wrote first: the expected version is not the present one. Read again and retry."""


class StaleEpoch(Refused):
    """An order with a lower epoch than the one in force: its author has lost the lease."""


class LedgerBroken(Refused):
    """The ledger does not verify."""


class Untrusted(Refused):
    """A release is unsigned, signed by another key, or its bytes differ from its manifest. It is never loaded."""


class NotFound(FlyballError):
    """A subject that the ledger or a store does not know."""

    exit_code = 2


class NotEnoughData(FlyballError):
    """Too little data for the figure asked for; never a plausible zero in its place."""

    exit_code = 1


class Unavailable(FlyballError):
    """Something needed is not there: a process, a file system, an extra that is not installed."""


class TrainingFailed(Refused):
    """The user's training code raised, died, hung or broke its promises."""
