"""Answers that were given before: bounded, for a time, and never another release's.

An entry is a release, a row and its answer. The row is kept as a keyed digest of the contract's columns in a canonical
form (an `amount` of 5 and 5.0 is one number), under a key that the process makes for itself: what is in memory cannot
be read back or guessed, and is worth nothing elsewhere. Only own answers of the release are kept, no stand-in's.
"""

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from flyball.core.declared.serving import AnswerCache as Declared
from flyball.core.prediction import Answer
from flyball.core.row_condition import typed
from flyball.serving.batch import Ask, Batch, ask_for

_Key = tuple[str, bytes]


class AnswerCache:
    """Of one service in one worker. Times are seconds, handed in, of one clock."""

    def __init__(self, declared: Declared, kinds: Mapping[str, str], key: bytes) -> None:
        """`kinds`: of the columns that a model may see. `key`: 16 to 64 random bytes."""
        self._most, self._ttl_s, self.answers = declared.max_rows, declared.ttl_s, declared.answers
        self._kinds, self._key = kinds, key
        self._entries: OrderedDict[_Key, tuple[float, Answer]] = OrderedDict()  # the least recently used first
        self.hits = self.misses = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, release: str, row: Mapping[str, Any], now: float) -> Answer | None:
        """What this release said about this row."""
        key = self._named(release, row)
        found = self._entries.get(key)
        if found is not None and now - found[0] > self._ttl_s:
            del self._entries[key]
            found = None
        if found is None:
            self.misses += 1
            return None
        self._entries.move_to_end(key)
        self.hits += 1
        return found[1]

    def learn(self, batch: Batch) -> None:
        """Keep the own answers of the arms of a batch."""
        for place, own in enumerate(batch.own):
            if isinstance(own, Answer) and place not in batch.cached and not own.withheld:
                self._entries[self._named(batch.root(batch.arms[place]), batch.rows[place])] = batch.at[place], own
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)

    def answered(self, batch: Batch, asks: list[Ask]) -> list[tuple[Ask, tuple[Answer, ...]]]:
        """Those of the asks that need nobody; `asks` keeps the rest."""
        found: list[tuple[Ask, tuple[Answer, ...]]] = []
        for ask in list(asks):
            known = {
                place: answer
                for place in ask.places
                if (answer := self.get(ask.release, batch.rows[place], batch.at[place])) is not None
            }
            if not known:
                continue
            batch.cached |= known.keys()
            found.append((ask_for(batch, ask.release, ask.role, list(known)), tuple(known.values())))
            asks.remove(ask)
            if rest := [place for place in ask.places if place not in known]:
                asks.append(ask_for(batch, ask.release, ask.role, rest))
        return found

    def _named(self, release: str, row: Mapping[str, Any]) -> _Key:
        seen = typed({name: row[name] for name in self._kinds if name in row}, self._kinds)
        # not JSON, which writes infinities and NaN as one null, nor MessagePack, which ends at 64 bits
        written = repr(sorted(seen.items())).encode()
        return release, blake2b(written, digest_size=16, key=self._key).digest()
