"""`flyball rollout plan`: what each step of a rollout will be able to see, before it starts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from flyball.app.cli.door import HomeOption, JsonFlag, emit, progress
from flyball.app.home import Home, find_home
from flyball.core.errors import BadInput, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyball.control.state.service_state import ServiceState
    from flyball.core.service import Service
    from flyball.decide.rollout_plan import RolloutPlan

EXIT = {"POWERED": 0, "UNDERPOWERED": 1, "UNKNOWN": 3}


def plan(
    service: Annotated[str, Parameter(help="service.yaml or its folder, or a service on the ledger by its name.")],
    /,
    *,
    rate: Annotated[
        float | None,
        Parameter(help="Requests a second; else those of the prediction log.", validator=Number(gt=0)),
    ] = None,
    errors: Annotated[
        float | None,
        Parameter(
            help="Share of the units that err today; else as logged, else as promised.", validator=Number(gt=0, lt=1)
        ),
    ] = None,
    slow: Annotated[
        float | None,
        Parameter(help="Share of the units that wait too long today.", validator=Number(gt=0, lt=1)),
    ] = None,
    waive: Annotated[
        list[str] | None, Parameter(negative="", help="An underpowered step that is accepted, by its name.")
    ] = None,
    why: Annotated[str, Parameter(help="With --waive: why that is right.")] = "",
    home: HomeOption = None,
    json: JsonFlag = False,
) -> int:
    """For each step: the smallest regression that it catches, the traffic and time it needs, and the error rates.
    Starts nothing, records nothing."""
    from flyball.app.cli.rollout_plan_text import page
    from flyball.app.wiring.traffic import dice, traffic_of
    from flyball.control.rollout.steps import effective_steps
    from flyball.decide.rollout_plan import plan as planned

    _refuse_silence(waive, why)
    declared, place, accepted = _declared(service, home)
    with progress(f"{declared.metadata.name}: folders of the log") as advance:
        traffic = traffic_of(place, declared, requests_s=rate, errors=errors, slow=slow, advance=advance)
    with progress("simulating the steps"):
        told = planned(
            declared.metadata.name,
            effective_steps(declared),
            declared.rollout.guardrails,
            traffic,
            dice=dice,
        )
    told = _accepted(_waived(told, waive or [], why), accepted)
    emit(told, as_json=json, text=lambda: page(told))
    return EXIT[told.verdict]


def _declared(service: str, home: str | None) -> "tuple[Service, Home, Mapping[str, str]]":
    """The service, its home, and what is accepted of its steps: in the declaration, or by a word on the ledger.

    Raises: BadInput: faulty files. NotFound: no ledger, or nothing on it is called so.
    """
    from flyball.app.cli.rollout_reading import declared_state, ledger_in
    from flyball.control.rollout.powering import waivers
    from flyball.core.policy import policy_digest

    path = Path(service)
    if path.is_file() or (path / "service.yaml").is_file():
        from flyball.app.declared import load

        place = find_home(home, (path if path.is_file() else path / "service.yaml",))
        declared = load(path).service
        state = _state(place, declared.metadata.name)
        same = state is not None and state.policy == policy_digest(declared)
        return declared, place, waivers(declared, state if same else None)
    with ledger_in(home) as ledger:
        state, declared = declared_state(ledger, service)
        return declared, find_home(home), waivers(declared, state)


def _state(place: Home, service: str) -> "ServiceState | None":
    """None: there is no ledger yet, or the service is not on it."""
    from contextlib import closing

    from flyball.app.subjects import Reading
    from flyball.app.wiring.ledger import open_ledger

    if not place.has_ledger:
        return None
    with closing(open_ledger(place)) as ledger:
        return Reading(ledger).states().get(service)


def _accepted(told: "RolloutPlan", accepted: "Mapping[str, str]") -> "RolloutPlan":
    from flyball.decide.rollout_plan import waive

    for each in told.steps:
        if each.verdict == "UNDERPOWERED" and each.waived is None and each.step in accepted:
            told = waive(told, each.step, accepted[each.step])
    return told


def _refuse_silence(waive: list[str] | None, why: str) -> None:
    if waive and not why.strip():
        fault = Fault(where="command line", path="--why", expected="a reason for --waive", found="none")
        raise BadInput("A waiver needs a reason.", (fault,))
    if why and not waive:
        fault = Fault(where="command line", path="--waive", expected="the step that --why is about", found="none")
        raise BadInput("Nothing is waived.", (fault,))


def _waived(told: "RolloutPlan", steps: list[str], why: str) -> "RolloutPlan":
    from flyball.decide.rollout_plan import waive

    for step in steps:
        try:
            told = waive(told, step, why)
        except ValueError as error:
            fault = Fault(where="command line", path="--waive", expected=str(error), found=step)
            raise BadInput("The waiver fits no step.", (fault,)) from error
    return told
