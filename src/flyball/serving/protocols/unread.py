"""Rows that are turned away unread: how many they are, and the words for them.

A refusal must cost next to nothing, or refusing is what the gateway is busy with. So nothing of a row is made into an
object, and the answer is written once for a service: only the ids differ.
"""

import msgspec

from flyball.serving.protocols.plain import SHED_STATUS, words_of

_ID = "\x00id\x00"
_DAMAGED = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


class _Body(msgspec.Struct):
    """What of a body has to be known. The rest is skipped, not read."""

    rows: msgspec.Raw = msgspec.Raw()


_BODY, _ROWS = msgspec.json.Decoder(_Body), msgspec.json.Decoder(list[msgspec.Raw])


def rows_in(body: bytes | bytearray, *, max_rows: int) -> int | None:
    """How many rows a body of the plain route holds; None: it has to be read to say what is wrong with it.

    >>> rows_in(b'{"amount": 3}', max_rows=10), rows_in(b'{"rows": [{"amount": 3}, {}]}', max_rows=10)
    (1, 2)
    >>> rows_in(b'{"rows": []}', max_rows=10), rows_in(b'[1]', max_rows=10), rows_in(b'{"rows": [1]}', max_rows=10)
    (None, None, None)
    """
    try:
        raw = memoryview(_BODY.decode(body).rows)
        if not raw or raw[0] != 0x5B:  # no list: one bare row, perhaps with a column of that name
            return 1
        rows = _ROWS.decode(raw)
    except _DAMAGED:
        return None
    good = 0 < len(rows) <= max_rows and all(memoryview(row)[0] == 0x7B for row in rows)
    return len(rows) if good else None


class Words:
    """What clients of one service are told."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._one: dict[str, tuple[bytes, bytes]] = {}  # of one row, by the reason: before the id, and after it

    def told(self, reason: str, ids: list[str]) -> tuple[int, bytes]:
        """Status and body: as `plain.predictions_body` of so many rows that were shed for this reason."""
        status = SHED_STATUS.get(reason, 503)
        if len(ids) > 1:
            return status, self._body(reason, ids)
        parts = self._one.get(reason)
        if parts is None:
            before, _, after = self._body(reason, [_ID]).partition(msgspec.json.encode(_ID)[1:-1])
            parts = self._one[reason] = before, after
        return status, parts[0] + ids[0].encode() + parts[1]

    def _body(self, reason: str, ids: list[str]) -> bytes:
        word = words_of(reason)
        rows = [{"error": word, "id": each} for each in ids]
        summary = word if len(ids) == 1 else "; ".join(f"rows[{place}]: {word}" for place in range(min(10, len(ids))))
        return msgspec.json.encode({"service": self._service, "predictions": rows, "error": summary})
