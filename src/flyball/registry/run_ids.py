"""The name of a training run: `run-` and 32 hex digits in facts, the same digits as a UUID (version 7) outside.

It sorts by time, as OpenLineage advises. Facts from before runs had a name get one that is made of their entry.
"""

import re
from uuid import UUID

from flyball.core.clock import moment
from flyball.core.ledger import Entry


def uuid_of(run: str) -> str | None:
    """The UUID of a run that a fact names.

    >>> uuid_of("run-01a1fd8c69007fffbfffffffffffffff")
    '01a1fd8c-6900-7fff-bfff-ffffffffffff'
    """
    return str(UUID(run[4:])) if re.fullmatch(r"run-[0-9a-f]{32}", run) else None


def as_fact(text: str) -> str:
    """A UUID, or the beginning of one, as facts write it; another text as it is.

    >>> as_fact("01a1fd8c-6900-7fff"), as_fact("run-01a1"), as_fact("01a1")
    ('run-01a1fd8c69007fff', 'run-01a1', '01a1')
    """
    return "run-" + text.replace("-", "") if re.fullmatch(r"[0-9a-f]{8}-[0-9a-f-]*", text) else text


def as_uuid(text: str) -> str:
    """`run-` and hex digits, or the beginning of them, as a UUID is written; another text as it is.

    >>> as_uuid("run-01a1fd8c69007fff"), as_uuid("sha256:ab")
    ('01a1fd8c-6900-7fff', 'sha256:ab')
    """
    digits = text[4:]
    if not re.fullmatch(r"run-[0-9a-f]{1,32}", text):
        return text
    return "-".join(part for part in (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]) if part)


def run_id(started: Entry) -> str:
    """The UUID of `TrainingStarted.run`; of a fact without one 48 bits of the entry's time in ms and 74 of its hash.

    Source: RFC 9562, section 5.7.

    >>> from flyball.core.events import TrainingStarted
    >>> from flyball.core.ids import Digest, ExperimentDigest, ServiceName
    >>> fact = TrainingStarted(service=ServiceName("fraud"), experiment=ExperimentDigest("fx1:sha256:ab"),
    ...     snapshot=Digest("sha256:cd"), reason="first")
    >>> at, rest = "2026-11-21T10:00:00.000000Z", {"type": "training.started", "subject": "fraud", "prev_hash": ""}
    >>> run_id(Entry(seq=1, at=at, fact=fact, hash="f" * 64, **rest))
    '01a1fd8c-6900-7fff-bfff-ffffffffffff'
    """
    named = uuid_of(getattr(started.fact, "run", "") or "")
    if named is not None:
        return named
    milliseconds = int(moment(started.at).timestamp() * 1000) & 0xFFFFFFFFFFFF
    bits = int(started.hash[:20], 16)
    high, low = (bits >> 68) & 0xFFF, (bits >> 6) & 0x3FFFFFFFFFFFFFFF
    return str(UUID(int=milliseconds << 80 | 7 << 76 | high << 64 | 0b10 << 62 | low))
