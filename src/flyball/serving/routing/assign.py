"""Which arm a unit belongs to: a salted hash in integers, so that it is sticky, monotone in the weight and stateless.

Theory of operation. `unit_hash` names a unit with 64 bits; `bucket` is its place among 10,000. The candidate takes the
buckets below its weight, strictly. So a weight of 0 takes nobody, 10,000 everybody, and a unit that the candidate had
at a lower weight it still has at a higher one. Each rollout brings its own salt, so that the units of one rollout are
no subset of the next one's. Where an A/B test has several arms each names its buckets (`allotment.py`), and what none
names is the champion's. Mirroring asks another hash (of the row, under another person string of blake2b), so that
the mirrored rows are a sample of all units and say nothing about the arm.
"""

from collections.abc import Sequence
from hashlib import blake2b

from flyball.core.arms import CHAMPION, Arm
from flyball.core.routing import WHOLE

_SHADOW_SCALE = 1 << 32


def unit_hash(salt: str, unit: str) -> int:
    """64 bits that name the unit within a rollout.

    >>> unit_hash("ro-1", "card-7") == unit_hash("ro-1", "card-7"), unit_hash("ro-1", "a") == unit_hash("ro-2", "a")
    (True, False)
    """
    return int.from_bytes(blake2b(f"{salt}\0{unit}".encode(), digest_size=8, person=b"unit").digest(), "big")


def bucket(salt: str, unit: str) -> int:
    """The unit's place, 0 to 9,999.

    >>> 0 <= bucket("ro-1", "card-7") < 10_000
    True
    """
    return unit_hash(salt, unit) % WHOLE


def to_candidate(hashed: int, weight: int) -> bool:
    """Whether a unit of this hash is the candidate's.

    Args: hashed: from `unit_hash`. weight: the candidate's share of units, of 10,000.

    >>> to_candidate(9_999, 9_999), to_candidate(0, 0), to_candidate(9_999, 10_000)
    (False, False, True)
    """
    return hashed % WHOLE < weight


def owners(arms: Sequence[Arm]) -> tuple[str, ...]:
    """The arm of each of the 10,000 buckets: where arms overlap, the first of them.

    >>> from flyball.core.ids import ReleaseRoot
    >>> found = owners([Arm(name="b", release=ReleaseRoot("sha256:b"), buckets=((1, 3),))])
    >>> found[:4], len(found)
    (('champion', 'b', 'b', 'champion'), 10000)
    """
    found = [CHAMPION] * WHOLE
    for arm in reversed(arms):
        for start, end in arm.buckets:
            found[start:end] = [arm.name] * (end - start)
    return tuple(found)


def mirrored(salt: str, prediction_id: str, share: float) -> bool:
    """Whether a row is shown to the shadow: a share of all rows, whatever their unit.

    >>> mirrored("ro-1", "x", 1.0), mirrored("ro-1", "x", 0.0)
    (True, False)
    """
    if share <= 0.0:
        return False
    digest = blake2b(f"{salt}\0{prediction_id}".encode(), digest_size=4, person=b"shadow").digest()
    return int.from_bytes(digest, "big") < int(share * _SHADOW_SCALE)
