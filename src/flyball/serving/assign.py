"""Which arm a unit belongs to: a salted hash in integers, so that it is sticky, monotone in the weight and stateless.

Theory of operation. `unit_hash` names a unit with 64 bits; `bucket` is its place among 10,000. The candidate takes the
buckets below its weight, strictly. So a weight of 0 takes nobody, 10,000 everybody, and a unit that the candidate had
at a lower weight it still has at a higher one. Each rollout brings its own salt, so that the units of one rollout are
no subset of the next one's. Mirroring asks another hash (of the row, under another person string of blake2b), so that
the mirrored rows are a sample of all units and say nothing about the arm.
"""

from hashlib import blake2b

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


def mirrored(salt: str, prediction_id: str, share: float) -> bool:
    """Whether a row is shown to the shadow: a share of all rows, whatever their unit.

    >>> mirrored("ro-1", "x", 1.0), mirrored("ro-1", "x", 0.0)
    (True, False)
    """
    if share <= 0.0:
        return False
    digest = blake2b(f"{salt}\0{prediction_id}".encode(), digest_size=4, person=b"shadow").digest()
    return int.from_bytes(digest, "big") < int(share * _SHADOW_SCALE)
