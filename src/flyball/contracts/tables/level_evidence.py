"""What the ledger says about service levels: what was wrong with the data, since which row, from when until when.

Two kinds of facts tell of it: incidents, and signals of quality at the level of action. A state that somebody accepted,
or that settled as the new normal, has ended as one that was repaired. When somebody was told is on no fact.
"""

from collections.abc import Iterable, Mapping

from flyball.contracts.tables.levels import Incident
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.ledger import Entry
from flyball.core.record import Record


class Episode(Record):
    """One thing that went wrong with the data."""

    name: str  # the incident, or `quality of <feature>`
    row: int  # stream position of the first row of the window in which it broke
    detected: float  # seconds since 1970
    ended: float | None = None


class Watched(Record):
    """What the facts of one service say."""

    watched: bool = False  # a controller has run: silence means that nothing was found
    episodes: tuple[Episode, ...] = ()


def watched(entries: Iterable[Entry]) -> Watched:
    """Fold the facts of one service, in their order."""
    looked = False
    open_: dict[str, Episode] = {}
    closed: list[Episode] = []

    def begin(name: str, row: int, at: float) -> None:
        open_.setdefault(name, Episode(name=name, row=row, detected=at))

    def end(name: str, at: float) -> None:
        if (episode := open_.pop(name, None)) is not None:
            closed.append(Episode(name=name, row=episode.row, detected=episode.detected, ended=at))

    for entry in entries:
        at = moment(entry.at).timestamp()
        match entry.fact:
            case e.ProcessStarted(process="controller" | "replay"):
                looked = True
            case e.IncidentOpened(incident=incident, kind="data_quality", row=row):
                begin(incident, row, at)
            case e.IncidentClosed(incident=incident):
                end(incident, at)
            case e.SignalRaised(signal=signal) if signal.signal == "quality":
                name = _quality(signal.feature)
                if signal.level == "act":
                    begin(name, signal.first_row, at)
                else:
                    end(name, at)
            case e.SignalCleared(signal="quality", feature=feature):
                end(_quality(feature), at)
    return Watched(watched=looked or bool(open_ or closed), episodes=(*closed, *open_.values()))


def incidents(found: Watched, arrived: Mapping[int, float]) -> tuple[tuple[Incident, ...] | None, dict[str, str]]:
    """Incidents for `levels.judge`, and why a level cannot be judged, by its name.

    Args: arrived: stream position -> when the row came, seconds since 1970, where that is known.

    >>> broke = Watched(watched=True, episodes=(Episode(name="in-1", row=7, detected=130.0),))
    >>> incidents(broke, {7: 100.0})[0]
    (Incident(began=100.0, detected=130.0, notified=None, repaired=None),)
    >>> incidents(broke, {})[1]["timeToDetect"]
    'when row 7 came, in which in-1 broke, is not known'
    """
    if not found.watched:
        why = "no controller has watched the service in this home"
        return None, dict.fromkeys(("timeToDetect", "timeToNotify", "timeToRepair"), why)
    unknown: dict[str, str] = {}
    if found.episodes:
        unknown["timeToNotify"] = "no fact says when somebody was told"
    for episode in found.episodes:
        if episode.row not in arrived:
            why = f"when row {episode.row} came, in which {episode.name} broke, is not known"
            unknown |= {"timeToDetect": why, "timeToRepair": why}
    told = tuple(
        Incident(began=arrived[each.row], detected=each.detected, repaired=each.ended)
        for each in found.episodes
        if each.row in arrived
    )
    return told, unknown


def _quality(feature: str | None) -> str:
    return "quality" if feature is None else f"quality of {feature}"
