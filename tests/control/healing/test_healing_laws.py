"""Whatever happens to a service: one remedy in flight, none over its budget, none that a person or the data forbid.

Histories are drawn: signs and incidents come and go, people freeze and thaw, the gateway and the controller go away,
hours pass. The real loop runs, with its own check of plans; the laws are asked of the ledger by code of their own.
"""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.control.healing.patient import CONSTANT, UNKNOWN, Patient, incident, patient_service, sign, unwell
from tests.control.loop import wanting
from tests.control.world import NAME

from flyball.control.reconcile import Seen
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.health import Sign
from flyball.core.ledger import Entry
from flyball.core.service import DeclaredRemedy, Service

QUICK = ("fall_back", "roll_back", "shed", "recycle_worker", "freeze")
SIGNS = (
    sign("errors"),
    sign("errors", "failed"),
    sign("availability"),
    sign("latency", "warning"),
    sign("data_quality", feature="amount"),
    sign("drift", "warning", "amount"),
    sign("quality"),
)
STEPS = st.one_of(
    st.lists(st.sampled_from(SIGNS), max_size=3, unique_by=lambda each: each.key),
    st.sampled_from(["upstream", "upstream over", "freeze", "thaw", "gateway away", "gateway back", "crash"]),
    st.sampled_from(["unknown", "drift fires", "drift is quiet", "exercised in vain"]),
    st.sampled_from([1.0, 60.0, 299.0, 301.0, 900.0, 4000.0, 30_000.0]),
)
FALLBACKS = st.sampled_from([("previous", CONSTANT), ("previous",), (CONSTANT,)])


def lived(steps: list[Any], fallback: Any) -> tuple[Patient, Service]:
    declared = patient_service(fallback=fallback)
    patient = Patient(declared)
    for step in steps:
        _happens(patient, step)
    return patient, declared


def _happens(patient: Patient, step: Any) -> None:
    state = patient.reconciler.state
    match step:
        case list():
            patient.write(unwell(*_dated(patient, step)))
        case float():
            patient.clock.advance(step)
        case "upstream" if "in-upstream" not in state.incidents.open:
            patient.write(incident("upstream", "upstream"))
        case "upstream over" if "in-upstream" in state.incidents.open:
            patient.write(e.IncidentClosed(service=NAME, incident="in-upstream", how="recovered", reason="over"))
        case "freeze" if state.frozen is None:
            patient.write(e.Frozen(service=NAME, by="ada", why="hands off"))
        case "thaw" if state.frozen is not None:
            patient.write(e.Thawed(service=NAME, by="ada", why="go on"))
        case "gateway away" | "gateway back":
            patient.gateways.gone = step == "gateway away"
        case "crash":
            patient.reconciler = patient.another("two")
            patient.clock.advance(20.0)  # the lease of the one that died runs out
        case "unknown":
            patient.write(UNKNOWN)
        case "drift fires":
            patient.sensor.seen = wanting()
        case "drift is quiet":
            patient.sensor.seen = Seen()
        case "exercised in vain":
            patient.write(e.FallbackExercised(service=NAME, link="previous", period=2, rows=20, answered=0, agreed=0))
    patient.tick()


def _dated(patient: Patient, signs: list[Sign]) -> list[Sign]:
    from msgspec.structs import replace

    now = timestamp(patient.clock.now())
    return [replace(each, since=now) for each in signs]


def _under_way(entries: list[Entry]) -> dict[str, e.RemedyBegun]:
    found: dict[str, e.RemedyBegun] = {}
    for entry in entries:
        if isinstance(entry.fact, e.RemedyBegun):
            found[entry.fact.remedy] = entry.fact
        if isinstance(entry.fact, e.RemedyVerified):
            del found[entry.fact.remedy]
    return found


@given(st.lists(STEPS, max_size=30), FALLBACKS)
@settings(max_examples=60, deadline=None)
def test_the_laws_of_healing(steps: list[Any], fallback: Any) -> None:
    patient, declared = lived(steps, fallback)
    entries = list(patient.ledger.read())
    limits: dict[str, int] = {one.kind: one.per_day for policy in declared.healing.policies for one in policy.remedies}
    begun: list[tuple[Any, e.RemedyBegun]] = []
    frozen: e.Frozen | None = None
    fed_broken: set[str] = set()
    for seen, entry in enumerate(entries):
        at, fact = moment(entry.at), entry.fact
        match fact:
            case e.RemedyBegun():
                flying = [one for one in _under_way(entries[:seen]).values() if one.kind in QUICK]
                assert not (flying and fact.kind in QUICK), "never two in flight"
                if fact.kind != "page":
                    same = [one for when, one in begun if one.kind == fact.kind and at - when < timedelta(days=1)]
                    assert len(same) < limits.get(fact.kind, DeclaredRemedy(kind="page").per_day), "never over budget"
                if frozen is not None and frozen.by != "policy":
                    assert fact.kind in ("roll_back", "page"), "a person's freeze leaves the way back"
                assert not (fact.kind == "retrain" and fed_broken), "the data are at fault"
                begun.append((at, fact))
            case e.TicketOpened() | e.RetrainOrdered():
                assert not fed_broken, "nothing is trained while the supply is broken"
            case e.Frozen():
                frozen = fact
            case e.Thawed():
                assert fact.by == "ada" or (frozen is not None and frozen.by == "policy"), "a person's freeze is theirs"
                frozen = None
            case e.IncidentOpened(kind="upstream", incident=name):
                fed_broken.add(name)
            case e.IncidentClosed(incident=name):
                fed_broken.discard(name)
            case e.RoutingOrdered(routing=routing):
                assert routing.weight == 0, "no remedy raises a weight"
                assert routing.relief is None or routing.relief.shed <= 0.5
    assert len({one.remedy for _, one in begun}) == len(begun)


@given(st.lists(STEPS, max_size=20), FALLBACKS)
@settings(max_examples=30, deadline=None)
def test_every_remedy_comes_to_a_verdict_and_every_relief_to_an_end(steps: list[Any], fallback: Any) -> None:
    patient, _ = lived(steps, fallback)
    state = patient.reconciler.state
    patient.gateways.gone = False
    if state.frozen is not None and state.frozen.by != "policy":
        patient.write(e.Thawed(service=NAME, by="ada", why="go on"))
    for name in state.incidents.open:
        patient.write(e.IncidentClosed(service=NAME, incident=name, how="recovered", reason="over"))
    patient.sensor.seen = Seen()
    patient.clock.advance(20.0)
    patient.recovers()
    for _ in range(4):
        patient.after(8 * 86_400.0)
    healing = patient.reconciler.state.healing
    assert healing.under_way == ()
    assert healing.standing == ()
    assert patient.gateways.routing is not None
    assert patient.gateways.routing.relief is None
    assert patient.reconciler.state.frozen is None
