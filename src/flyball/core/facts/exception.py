"""The facts of an exception: a failed gate that two people let one release pass, for a short time."""

from typing import Literal

import msgspec

from flyball.core.codec import digest
from flyball.core.fact import Fact, Proof
from flyball.core.ids import Digest, ReleaseRoot
from flyball.core.release import GateResult


class ExceptionRequested(Fact, tag="exception.requested"):
    """The first of two people wants it; exactly this, and nothing goes on before the second has said so too."""

    exception: str
    release: ReleaseRoot
    gate: str  # name of its result
    found: GateResult  # what the gate said, frozen
    evidence: Digest  # of release and result
    policy: Digest
    by: str
    proof: Proof
    why: str
    expires_at: str


class ExceptionConfirmed(Fact, tag="exception.confirmed"):
    """The second person, of the same digests: the gate stands aside until the exception ends."""

    exception: str
    release: ReleaseRoot
    gate: str
    evidence: Digest
    policy: Digest
    by: str
    proof: Proof
    why: str = ""


class ExceptionEnded(Fact, tag="exception.ended"):
    """It holds no longer: taken back by a person, over, void because something changed, or its rollout has ended."""

    exception: str
    release: ReleaseRoot
    gate: str
    how: Literal["revoked", "expired", "void", "used"]
    by: str
    proof: Proof
    why: str = ""


def gate_evidence(root: str, found: GateResult) -> Digest:
    """Digest of what one gate said of one release; another figure, limit or reason gives another."""
    return digest("flyball/exception/v1", {"release": root, "gate": msgspec.to_builtins(found)})
