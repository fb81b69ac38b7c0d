"""`flyball rollout plan`: what each step of a rollout will be able to see, before it starts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from flyball.app.cli.door import HomeOption, JsonFlag, emit, progress
from flyball.app.home import Home, find_home
from flyball.core.errors import BadInput, Fault

if TYPE_CHECKING:
    from flyball.core.service import Service
    from flyball.decide.rollout_plan import RolloutPlan

SEED = 20_261_126  # the same plan for the same question
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
    import numpy as np

    from flyball.app.cli.rollout_plan_text import page
    from flyball.app.wiring.asking.traffic import traffic_of
    from flyball.control.steps import effective_steps
    from flyball.decide.rollout_plan import plan as planned

    _refuse_silence(waive, why)
    declared, place = _declared(service, home)
    with progress(f"{declared.metadata.name}: folders of the log") as advance:
        traffic = traffic_of(place, declared, requests_s=rate, errors=errors, slow=slow, advance=advance)
    with progress("simulating the steps"):
        told = planned(
            declared.metadata.name,
            effective_steps(declared),
            declared.rollout.guardrails,
            traffic,
            dice=lambda: np.random.default_rng(SEED),
        )
    told = _waived(told, waive or [], why)
    emit(told, as_json=json, text=lambda: page(told))
    return EXIT[told.verdict]


def _declared(service: str, home: str | None) -> "tuple[Service, Home]":
    """Raises: BadInput: faulty files. NotFound: no ledger, or nothing on it is called so."""
    path = Path(service)
    if path.is_file() or (path / "service.yaml").is_file():
        from flyball.app.declared import load

        return load(path).service, find_home(home, (path if path.is_file() else path / "service.yaml",))
    from flyball.app.cli.rollout_reading import declared_state, ledger_in

    with ledger_in(home) as ledger:
        return declared_state(ledger, service)[1], find_home(home)


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
