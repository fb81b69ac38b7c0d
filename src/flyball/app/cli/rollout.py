"""`flyball rollout ...`: what runs, what ran, and a person's words to it."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from flyball.app import rollouts
from flyball.app.cli.acting import act
from flyball.app.cli.door import HomeOption, JsonFlag, emit
from flyball.app.cli.rollout_reading import declared_state, followed, ledger_in
from flyball.app.waivers import waive as accept
from flyball.core.errors import BadInput, Fault
from flyball.core.ids import short

if TYPE_CHECKING:
    from rich.table import Table

    from flyball.app.rollout_history import PastRollout

app = App(
    name="rollout", help="The rollout of a service: plan it, see it, hold it, let it go on, take it back, try again."
)
app.command(
    "flyball.app.cli.rollout_plan:plan", name="plan", help="What each step will be able to see; starts nothing."
)

ServiceArgument = Annotated[str, Parameter(help="The service, or its running rollout.")]
WhyOption = Annotated[str, Parameter(help="Your reason, for the ledger.")]
ReasonOption = Annotated[str, Parameter(help="Your reason, for the ledger; it has to be given.")]
ReleaseArgument = Annotated[
    str | None, Parameter(help="Its root, or 8 or more digits of it; else the newest that waits, or was withdrawn.")
]


@app.command
def status(
    service: Annotated[str, Parameter(help="The service.")],
    /,
    *,
    watch: Annotated[
        bool, Parameter(negative="", help="Show it anew whenever it changes, until no rollout runs.")
    ] = False,
    whether: Annotated[
        Literal["running", "promoted", "returnable"] | None,
        Parameter(
            help="Exit code 1 where it is not so: one runs; the newest was promoted and is the champion; there is "
            "something to take back."
        ),
    ] = None,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> int:
    """The running rollout: its steps, its traffic, what it waits for. With --watch exit code 1 where it was not
    promoted."""
    from flyball.app.rollout_history import rollouts_of
    from flyball.app.rollout_standing import in_words, rollout_standing, stands

    if watch and (json or whether is not None):
        found = f"--watch and {'--json' if json else '--whether'} together"
        raise BadInput("one document or many", (Fault(where="command", path="--watch", expected="one", found=found),))
    with ledger_in(home) as ledger:
        if not watch:
            state, declared = declared_state(ledger, service)
            standing = rollout_standing(state, declared)
            emit(standing, as_json=json, text=lambda: in_words(standing))
            if whether is None:
                return 0
            return 0 if stands(state, rollouts_of(ledger.read(subject=state.service)), whether) else 1
        name = declared_state(ledger, service)[0].service
        for standing in followed(ledger, name):
            emit(standing, as_json=False, text=partial(in_words, standing))
        past = rollouts_of(ledger.read(subject=name))
        if not past:
            return 0
        last = past[-1]
        emit(last, as_json=False, text=lambda: f"{last.rollout} {last.outcome}: {last.reason}")
        return 0 if last.outcome == "promoted" else 1


@app.command
def history(
    service: Annotated[str, Parameter(help="The service.")],
    /,
    *,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Every rollout of a service, oldest first."""
    from flyball.app.rollout_history import rollouts_of

    with ledger_in(home) as ledger:
        declared_state(ledger, service)
        found = rollouts_of(ledger.read(subject=service))
    emit({"service": service, "rollouts": found}, as_json=json, text=lambda: _table(found))


@app.command
def explain(rollout: ServiceArgument, /, *, home: HomeOption = None, json: JsonFlag = False) -> None:
    """As `flyball explain`: the reasons and the facts."""
    from flyball.app.cli.explain import explain as explain_it

    explain_it(rollout, home=home, json=json)


@app.command
def start(
    service: ServiceArgument,
    release: ReleaseArgument = None,
    /,
    *,
    why: WhyOption = "",
    waive: Annotated[
        list[str] | None, Parameter(negative="", help="An underpowered step that is accepted, by its name.")
    ] = None,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Try this release next, before others that wait. A release that waits is tried without this word too."""
    reason = _given(why) if waive else why
    act(
        lambda ledger, person: rollouts.want(ledger, service, release, person, reason, waive=waive or ()),
        service,
        home=home,
        as_json=json,
    )


@app.command
def waive(
    service: ServiceArgument,
    steps: Annotated[list[str], Parameter(help="Their names, as the plan tells them.")],
    /,
    *,
    why: ReasonOption,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Accept that steps are underpowered, for as long as the policy stays as it is: rollouts begin all the same."""
    act(lambda ledger, person: accept(ledger, service, steps, person, _given(why)), service, home=home, as_json=json)


@app.command
def retry(
    service: ServiceArgument,
    release: ReleaseArgument = None,
    /,
    *,
    why: ReasonOption,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Try a release again that was taken back, turned down or has expired."""
    act(
        lambda ledger, person: rollouts.want(ledger, service, release, person, _given(why)),
        service,
        home=home,
        as_json=json,
    )


@app.command
def pause(service: ServiceArgument, /, *, why: WhyOption = "", home: HomeOption = None, json: JsonFlag = False) -> None:
    """Hold the rollout at its step. Guardrails go on: a worse candidate still goes back."""
    act(lambda ledger, person: rollouts.pause(ledger, service, person, why), service, home=home, as_json=json)


@app.command
def resume(
    service: ServiceArgument, /, *, why: WhyOption = "", home: HomeOption = None, json: JsonFlag = False
) -> None:
    """Let a paused rollout, or one at a pause step, go on."""
    act(lambda ledger, person: rollouts.resume(ledger, service, person, why), service, home=home, as_json=json)


@app.command
def promote(service: ServiceArgument, /, *, why: ReasonOption, home: HomeOption = None, json: JsonFlag = False) -> None:
    """End the wait of the running step. Approvals are not skipped, nor anything that can stop a rollout."""
    act(
        lambda ledger, person: rollouts.promote(ledger, service, person, _given(why)),
        service,
        home=home,
        as_json=json,
    )


@app.command
def abort(
    service: ServiceArgument, /, *, why: WhyOption = "aborted by hand", home: HomeOption = None, json: JsonFlag = False
) -> None:
    """Take the running rollout back."""
    act(lambda ledger, person: rollouts.abort(ledger, service, person, why), service, home=home, as_json=json)


@app.command
def undo(
    service: ServiceArgument, /, *, why: WhyOption = "undone by hand", home: HomeOption = None, json: JsonFlag = False
) -> None:
    """Let the release before the champion serve again."""
    act(lambda ledger, person: rollouts.undo(ledger, service, person, why), service, home=home, as_json=json)


def _given(why: str) -> str:
    if not why.strip():
        fault = Fault(where="command", path="--why", expected="a reason", found="an empty text")
        raise BadInput("a reason is needed", (fault,))
    return why


def _table(found: tuple["PastRollout", ...]) -> "Table | str":
    from rich.table import Table

    if not found:
        return "no rollout so far"
    table = Table("rollout", "release", "opened", "steps", "outcome", "why", box=None)
    for each in found:
        table.add_row(*_row(each))
    return table


def _row(each: "PastRollout") -> Iterator[str]:
    yield each.rollout
    yield short(each.release)
    yield each.opened_at[:19] + "Z"
    yield ", ".join(each.steps) or "-"
    yield each.outcome or "runs"
    by = f"BY EXCEPTION {', '.join(each.exceptions)}: " if each.exceptions else ""
    alone = "BY THE POLICY ALONE: " if each.alone else ""
    of_drill = f"OF DRILL {each.drill}: " if each.drill else ""
    yield of_drill + by + alone + (each.reason or "-")
