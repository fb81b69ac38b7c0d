"""The facts of an incident: opened, what was kept of it, closed."""

from typing import Final, Literal

from flyball.core.fact import Fact

# what it is about: the first blocks retraining until the supply is repaired or settled
IncidentKind = Literal["data_quality", "health", "upstream", "drill"]
OF_SUPPLY: Final[tuple[IncidentKind, ...]] = ("data_quality", "upstream")  # what somebody before us delivers is broken


class IncidentOpened(Fact, tag="incident.opened"):
    incident: str
    kind: IncidentKind
    reason: str
    features: tuple[str, ...] = ()
    row: int = 0
    cause: str = ""  # fingerprint: what alerts and remedies of one cause share; empty: the kind
    began: str = ""  # when what it is about began, RFC 3339, UTC; empty: not known, when it was opened
    drill: str | None = None  # id of the drill that made it; empty: it is real; None: an earlier version did not say


class IncidentClosed(Fact, tag="incident.closed"):
    incident: str
    how: Literal["new_normal", "person", "recovered", "joined"]  # joined: it goes on in another one
    reason: str
    row: int = 0  # where it is the new normal, training rows start here; where the supply recovered, good rows do
    over: str = ""  # of a supply that recovered: when the rows became good again, RFC 3339, UTC; empty: not known
    detected_s: float | None = None  # from its beginning to its opening
    recovered_s: float | None = None  # from its opening until what it is about was over


class ForensicsKept(Fact, tag="forensics.kept"):
    """Panes, example rows and the routing table of an incident's hours lie in a folder, by digest."""

    incident: str
    digest: str  # of the manifest that lists the files
    files: tuple[str, ...]
    missing: dict[str, str] = {}  # what could not be kept, and why
