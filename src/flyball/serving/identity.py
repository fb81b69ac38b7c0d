"""Prediction ids that prove by themselves that they were issued here.

`<service>.<millisecond><boot><counter><tag>`, hex after the dot. The tag is a keyed hash over the rest: whoever holds
the home's secret can tell an id that was never issued without looking anything up, in whatever worker it was issued.
So a label for an unknown prediction is refused at the door. 40 bits of tag: one forged id in 10^12 passes, and would
only be a label without a prediction. Ids sort by time within a service.
"""

from collections.abc import Sequence
from hashlib import blake2b

_TAG_BYTES = 5
_TAG_HEX = 2 * _TAG_BYTES
_BODY_HEX = 12 + 8 + 8 + _TAG_HEX


class PredictionIds:
    """Issues the ids of one service in one process."""

    def __init__(self, service: str, secret: bytes, boot: bytes) -> None:
        """`secret`: of the home, up to 64 bytes. `boot`: 4 bytes no other process of the home has used."""
        self._service = service
        self._boot = boot[:4].hex().zfill(8)
        self._keyed = blake2b(digest_size=_TAG_BYTES, key=secret)
        self._count = 0

    def issue(self, at: Sequence[float]) -> list[str]:
        """One id for each time (seconds since the epoch), in order."""
        service, boot, keyed, count = self._service, self._boot, self._keyed, self._count
        issued = []
        for moment in at:
            text = f"{service}.{int(moment * 1000) & 0xFFFFFFFFFFFF:012x}{boot}{count & 0xFFFFFFFF:08x}"
            tag = keyed.copy()
            tag.update(text.encode())
            issued.append(text + tag.hexdigest())
            count += 1
        self._count = count
        return issued


def service_of(prediction_id: str, secret: bytes) -> str | None:
    """The service that issued this id; None: nobody here did.

    >>> ids = PredictionIds("fraud", b"k", b"boot").issue([1.0])
    >>> service_of(ids[0], b"k"), service_of(ids[0], b"another"), service_of("fraud.123", b"k")
    ('fraud', None, None)
    """
    service, dot, body = prediction_id.rpartition(".")
    if not dot or len(body) != _BODY_HEX:
        return None
    tag = blake2b(prediction_id[:-_TAG_HEX].encode(), digest_size=_TAG_BYTES, key=secret).hexdigest()
    return service if tag == prediction_id[-_TAG_HEX:] else None


def issued_at(prediction_id: str) -> float | None:
    """When the row of this id arrived, seconds since the epoch, to the millisecond; None: it is no id of ours.

    >>> issued_at(PredictionIds("fraud", b"k", b"boot").issue([1.5])[0]), issued_at("fraud.x")
    (1.5, None)
    """
    body = prediction_id.rpartition(".")[2]
    try:
        return int(body[:12], 16) / 1000.0 if len(body) >= 12 else None
    except ValueError:
        return None
