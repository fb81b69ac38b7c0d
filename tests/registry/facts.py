"""Any fact that the ledger can hold, and short histories of one service, for laws about facts."""

from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from flyball.adapters.ledger.memory import MemoryLedger, SimulatedClock
from flyball.core import events as e
from flyball.core.ids import ServiceName
from flyball.core.ledger import Entry
from flyball.core.service import Service
from flyball.registry import chain

NAME = ServiceName("fraud")
HEX = "0123456789abcdef" * 4
WORDS = st.one_of(
    st.sampled_from(["a", "b", f"sha256:{HEX}", f"fx1:sha256:{HEX}", "ro-1", "tk-1", "x y", "é/ü?#%", 'q"<'])
)
TEXTS = st.one_of(WORDS, st.text(st.characters(codec="utf-8"), min_size=1, max_size=8))
FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    bool: st.booleans(),
    int: st.integers(0, 2**40),
    float: FINITE,
    NoneType: st.none(),
    msgspec.UnsetType: st.just(msgspec.UNSET),
    Any: st.one_of(st.none(), st.booleans(), st.integers(0, 9), TEXTS),
}


def of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type as records use them."""
    kind = getattr(kind, "__supertype__", kind)
    if kind in PLAIN:
        return PLAIN[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return of(arguments[0])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, UnionType):
        return st.one_of([of(each) for each in arguments])
    if origin is tuple:
        return st.lists(of(arguments[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(of(arguments[0]), of(arguments[1]), max_size=2)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return record(kind)
    raise AssertionError(f"no values known for {kind}")


def record(kind: type[Any]) -> st.SearchStrategy[Any]:
    if kind is Service or kind.__name__ == "Guardrails":
        return st.builds(kind)
    hints = get_type_hints(kind, include_extras=True)
    fields = {field.name: of(hints[field.name]) for field in msgspec.structs.fields(kind)}
    if kind.__name__ == "Arm":
        fields["buckets"] = st.sampled_from([(), ((0, 2500),), ((1, 2), (9000, 10_000))])
    if kind.__name__ == "File":
        fields["sha256"] = st.just(HEX)
    return st.builds(kind, **fields)


FACTS = [record(kind).map(lambda fact: msgspec.structs.replace(fact, service=NAME)) for kind in get_args(e.AnyFact)]
HISTORIES = st.lists(st.one_of(FACTS), max_size=8)


@dataclass
class Story:
    """A ledger in memory with these facts of one service."""

    facts: list[Any]

    def entries(self) -> list[Entry]:
        ledger = MemoryLedger(sealer=chain, clock=SimulatedClock())
        for fact in self.facts:
            ledger.append([fact])
        return list(ledger.read())
