"""A scenario file: which service, for how long, under what traffic, and what happens to it; its faults at once."""

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from flyball.app.rehearse.faults import POINTS, FaultAt
from flyball.contracts import yaml_text
from flyball.contracts.durations import PATTERN, resolved, seconds
from flyball.contracts.schema_faults import faults, nearest
from flyball.core.declared.kinds import Positive, Seconds
from flyball.core.errors import BadInput, Fault
from flyball.core.record import Record

DAY_S = 86_400.0
DEFAULT_SERVICE = "service.yaml"
_LISTS = ("candidates", "drift", "faults", "words")


class Candidate(Record):
    """A release that somebody offers; it has passed its gates."""

    at: Seconds
    error_ratio: Annotated[float, Meta(ge=0)] = 1.0  # its error events, of the first release's rate
    slow_ratio: Annotated[float, Meta(ge=0)] = 1.0  # its slow answers
    metric_change: float = 0.0  # of the live metric, as a share of the rows answered rightly; negative is worse
    fails: str | None = None  # the metric of a gate that it failed


class Drift(Record):
    """From then on a feature is another one."""

    at: Seconds
    feature: str
    shift: float  # numbers: in standard deviations; else the share of rows that take the column's last value


Say = Literal[
    "approve",
    "reject",
    "rollback",
    "freeze",
    "thaw",
    "pause",
    "resume",
    "promote",
    "retrain",
    "except",
    "confirm",
    "revoke",
    "new_data",
    "commit",
    "tag",
    "webhook",
]


class Word(Record):
    """What a person says at a moment, or within the hour after it."""

    at: Seconds
    say: Say
    by: str = ""  # of `metadata.people`; empty: whoever may
    lasts_s: Seconds | None = None  # except: until it ends; null: as long as the policy allows


class Scenario(Record):
    """One `scenario.yaml`."""

    service: str = DEFAULT_SERVICE  # beside the scenario file
    days: Positive = 7.0
    traffic_rps: Positive = 1.0
    label_delay_s: Seconds = 0.0
    candidates: tuple[Candidate, ...] = ()
    drift: tuple[Drift, ...] = ()
    faults: tuple[FaultAt, ...] = ()
    words: tuple[Word, ...] = ()
    changes: dict[str, Any] = {}  # laid over the service, as a part of service.yaml

    @property
    def length_s(self) -> float:
        return self.days * DAY_S


Features = Callable[[str], Sequence[str]]  # service, as the file names it -> columns that a drift may name


def parse(text: str, *, file: str = "scenario.yaml", features: Features | None = None) -> Scenario:
    """The scenario that a text makes, durations in seconds and every default written out.

    Args: features: may raise BadInput, whose faults are reported with the others. None: any name will do.

    Raises: BadInput with all faults: YAML, unknown keys, types and bounds, then points, kinds and features that nobody
        knows, and what is wrong with the service itself.
    """
    document = yaml_text.read(text, file=file)
    if document.data is None or document.faults:
        raise yaml_text.refusal(file, document.faults or [document.fault((), "a mapping", "nothing")])
    data = _timed(resolved(document.data))
    structure = faults(document, data, _schema())
    found = [fault for _, fault in structure]
    if isinstance(data, dict):
        blamed = [path for path, _ in structure]
        senseless = (*_senseless(document, data), *_strangers(document, data, features))
        found += [fault for path, fault in senseless if not any(_within(path, at) for at in blamed)]
    if found:
        raise yaml_text.refusal(file, found)
    return msgspec.convert(data, Scenario)


def _schema() -> dict[str, Any]:
    """For checking after durations have been turned into seconds; `at` says so itself, its name has no unit."""
    schema = msgspec.json.schema(Scenario)
    for part in schema["$defs"].values():
        for key, value in part["properties"].items():
            if key == "at":
                kept = {name: value.pop(name) for name in list(value) if name != "default"}
                value["anyOf"] = [kept, {"type": "string", "pattern": PATTERN, "title": "a duration such as 10m or 2d"}]
    return schema


def _timed(data: Any) -> Any:
    """`at` holds a duration too, though its name has no unit: it is a moment."""
    if not isinstance(data, dict):
        return data
    return data | {name: [_at(item) for item in data[name]] for name in _LISTS if isinstance(data.get(name), list)}


def _at(item: Any) -> Any:
    if not isinstance(item, dict) or not isinstance(item.get("at"), str):
        return item
    told = seconds(item["at"])
    return item if told is None else item | {"at": told}


def _senseless(document: yaml_text.Document, data: dict[str, Any]) -> Iterator[tuple[yaml_text.Path, Fault]]:
    days = data.get("days", 7.0)
    length_s = days * DAY_S if isinstance(days, (int, float)) and days > 0 else None
    for name in _LISTS:
        listed = data.get(name)
        for index, item in enumerate(listed if isinstance(listed, list) else ()):
            if not isinstance(item, dict):
                continue
            at = item.get("at")
            if isinstance(at, (int, float)) and length_s is not None and at >= length_s:
                path = (name, index, "at")
                yield path, document.fault(path, f"before the end, {length_s:g} s", f"{at:g}", "give more days")
            if name == "faults":
                yield from _unknown(document, index, item)


def _unknown(document: yaml_text.Document, index: int, item: dict[str, Any]) -> Iterator[tuple[yaml_text.Path, Fault]]:
    point, kind = item.get("point"), item.get("kind")
    if point not in POINTS:
        path = ("faults", index, "point")
        yield path, document.fault(path, f"one of {', '.join(POINTS)}", repr(point), nearest(point, POINTS))
    elif kind not in POINTS[point]:
        path = ("faults", index, "kind")
        kinds = POINTS[point]
        yield path, document.fault(path, f"at {point} one of {', '.join(kinds)}", repr(kind), nearest(kind, kinds))


def _strangers(
    document: yaml_text.Document, data: dict[str, Any], features: Features | None
) -> Iterator[tuple[yaml_text.Path, Fault]]:
    """What the service does not know, and why it cannot be asked."""
    service = data.get("service", DEFAULT_SERVICE)
    if features is None or not isinstance(service, str):
        return
    try:
        known = features(service)
    except BadInput as error:
        yield from ((("service",), fault) for fault in error.faults)
        return
    for index, item in enumerate(data.get("drift") or ()):
        name = item.get("feature") if isinstance(item, dict) else None
        if name is not None and name not in known:
            path = ("drift", index, "feature")
            yield path, document.fault(path, f"one of {', '.join(known)}", repr(name), nearest(name, known))


def _within(path: yaml_text.Path, blamed: yaml_text.Path) -> bool:
    return path[: len(blamed)] == blamed
