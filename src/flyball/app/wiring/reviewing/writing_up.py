"""Digests written down: the file, then the fact. A crash between the two leaves the file, and the next try writes the
same bytes over it; the fact has the period for its id, so that it is on the ledger once."""

import hashlib
from datetime import datetime
from pathlib import Path

from flyball.app.home import Home
from flyball.app.review.markdown import markdown
from flyball.app.wiring.reviewing.reading import Reviewed, outside
from flyball.app.wiring.whole_files import write_text
from flyball.control.review.writeup import WriteUp, written_up
from flyball.core.declared.review import Period
from flyball.core.events import DigestWritten
from flyball.core.ids import Digest, ServiceName
from flyball.core.ledger import Ledger
from flyball.core.record import Record
from flyball.decide.calendar import Span


class Kept(Record):
    """A digest and where it is."""

    digest: WriteUp
    file: str | None  # None: it was only printed
    recorded: bool  # this call wrote the fact


def write_up(home: Home, of: Reviewed, period: Period, span: Span, now: datetime) -> WriteUp:
    """Nothing is written. What the controller counts now (budgets) is no part of a period that is over."""
    return written_up(of.declared, of.entries, period, span, outside(home, of, span, now))


def place_of(home: Home, service: str, period: Period, name: str) -> Path:
    return home.digests / service / f"{period}-{name}.md"


def keep(ledger: Ledger, found: WriteUp, file: Path) -> Kept:
    """Of a period that is over. Raises: Unavailable: the disk or the ledger does not take it."""
    text = markdown(found)
    write_text(file, text)
    fact = DigestWritten(
        service=ServiceName(found.service),
        period=found.period,
        since=found.since,
        until=found.until,
        digest=Digest(f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"),
    )
    entries = ledger.append([fact], ids=[f"digest/{found.service}/{found.period}/{found.until}"])
    return Kept(digest=found, file=str(file), recorded=bool(entries))
