"""The name of a training run: a UUID (version 7) made of the ledger entry that says it began.

Nobody has to remember it: whoever has the entry has the name. It sorts by time, as OpenLineage advises.
"""

from uuid import UUID

from flyball.core.clock import moment
from flyball.core.ledger import Entry


def run_id(started: Entry) -> str:
    """48 bits of the entry's time in ms, then the first 74 bits of its hash. Source: RFC 9562, section 5.7.

    >>> from flyball.core.events import TrainingStarted
    >>> from flyball.core.ids import Digest, ExperimentDigest, ServiceName
    >>> fact = TrainingStarted(service=ServiceName("fraud"), experiment=ExperimentDigest("fx1:sha256:ab"),
    ...     snapshot=Digest("sha256:cd"), reason="first")
    >>> at, rest = "2026-11-21T10:00:00.000000Z", {"type": "training.started", "subject": "fraud", "prev_hash": ""}
    >>> run_id(Entry(seq=1, at=at, fact=fact, hash="f" * 64, **rest))
    '01a1fd8c-6900-7fff-bfff-ffffffffffff'
    """
    milliseconds = int(moment(started.at).timestamp() * 1000) & 0xFFFFFFFFFFFF
    bits = int(started.hash[:20], 16)
    high, low = (bits >> 68) & 0xFFF, (bits >> 6) & 0x3FFFFFFFFFFFFFFF
    return str(UUID(int=milliseconds << 80 | 7 << 76 | high << 64 | 0b10 << 62 | low))
