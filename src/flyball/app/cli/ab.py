"""`flyball ab start | weigh | show | stop`: A/B tests of any number of releases beside the champion."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from flyball.app.cli.acting import act
from flyball.app.cli.door import HomeOption, JsonFlag, emit, progress
from flyball.app.home import find_home
from flyball.core.errors import NotFound
from flyball.core.facts.ab import AbMetric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from flyball.app.wiring.asking.ab_reading import AbTest
    from flyball.decide.ab_report import ArmReport

app = App(name="ab", help="A/B tests: several releases beside the champion, compared at weights that you set.")

ServiceArgument = Annotated[str, Parameter(help="The service.")]
WhyOption = Annotated[str, Parameter(help="Your reason, for the ledger.")]


@app.command
def start(
    service: ServiceArgument,
    /,
    *,
    arm: Annotated[
        list[str],
        Parameter(
            help="NAME=RELEASE:WEIGHT, once for each arm: a release by 8 or more hex digits (or champion, for an A/A "
            "test), a weight in steps of 0.01 %. What is left is the champion's.",
        ),
    ],
    metric: Annotated[
        AbMetric | None,
        Parameter(help="What labels say of an arm: accuracy, mae, or label (the label itself, such as a conversion)."),
    ] = None,
    for_: Annotated[str | None, Parameter(name="--for", help="End by itself after so long: 12h, 14d.")] = None,
    end_rollout: Annotated[
        bool, Parameter(negative="", help="End the running rollout first; its release may be rolled out again.")
    ] = False,
    why: WhyOption = "",
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Begin a test. The controller orders it when each release is warm, verified and able to carry its share."""
    from flyball.app import ab_tests
    from flyball.app.ab_words import arms_of, length_of
    from flyball.app.wiring.asking.ab_reading import until

    arms, end = arms_of(arm), until(length_of(for_))
    act(
        lambda ledger, person: ab_tests.start(
            ledger,
            service,
            person,
            arms,
            metric=metric,
            until=end,
            why=why,
            end_rollout=end_rollout,
        ),
        service,
        home=home,
        as_json=json,
    )


@app.command
def weigh(
    service: ServiceArgument,
    /,
    *weights: Annotated[str, Parameter(help="ARM=WEIGHT, such as b=20%; 0 leaves an arm without units.")],
    why: WhyOption = "",
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Change weights: an arm takes units from the champion or gives them back, and no other arm's unit moves."""
    from flyball.app import ab_tests
    from flyball.app.ab_words import weights_of

    wanted = weights_of(weights)
    act(lambda ledger, person: ab_tests.weigh(ledger, service, person, wanted, why), service, home=home, as_json=json)


@app.command
def stop(
    service: ServiceArgument,
    /,
    *,
    winner: Annotated[str | None, Parameter(help="The arm whose release is rolled out next; else none is.")] = None,
    why: WhyOption = "",
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """End the running test: all units are the champion's again. A winner is rolled out as any release is."""
    from flyball.app import ab_tests

    act(
        lambda ledger, person: ab_tests.stop(ledger, service, person, why, winner=winner),
        service,
        home=home,
        as_json=json,
    )


@app.command
def show(
    subject: Annotated[str, Parameter(help="The service (its running test, or the last one), or a test by its id.")],
    /,
    *,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Each arm beside the champion: exposures, errors, slow answers, the metric, and whether the split is sound."""
    from flyball.app.wiring.asking.ab_reading import read
    from flyball.app.wiring.ledger import ledger_of

    place = find_home(home)
    if not place.has_ledger:
        raise NotFound(f"no ledger in {place.root}", hint="name the folder by --home or FLYBALL_HOME")
    with ledger_of(place) as ledger, progress("reading the prediction log") as advance:
        told = read(ledger, place, subject, advance=advance)
    emit(told, as_json=json, text=lambda: _page(told))


def _page(told: "AbTest") -> "RenderableType":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    lines = [f"A/B test {told.test} of {told.service}: {told.standing}"]
    lines.append(f"since {told.started_at}, by {told.by}" + (f", until {told.until}" if told.until else ""))
    lines += [f"arm {each.arm} was stopped at {each.at}: {each.reason}" for each in told.stops]
    if told.report is None:
        return Text("\n".join([*lines, *told.notes]))
    found = told.report
    table = Table("arm", "weight", "units", "rows", "errors", "slow", "failed", "log e", told.metric or "", box=None)
    for each in found.arms:
        table.add_row(*_row(each))
    end = [
        *(line for each in found.arms for line in _differences(each, told.metric)),
        *_unanswered(found.arms, told.metric),
        f"split: {found.verdict.lower()}: {found.reason} (log e {found.log_e_split:.2f}, broken at 6.91)",
        f"an arm is stopped at log e {found.bound:.2f}; all intervals hold together with {1 - told.alpha:.0%}, "
        "however often they are read",
        *told.notes,
    ]
    return Group(Text("\n".join(lines)), table, Text("\n".join(end)))


def _row(each: "ArmReport") -> list[str]:
    log_e = "-" if each.name == "champion" else f"{max(each.log_e_errors, each.log_e_slow):.2f}"
    counts = (each.units, each.requests, each.errors, each.slow, each.failed)
    metric = "" if each.metric is None else f"{each.metric:.4g}"
    return [each.name, f"{each.weight:.2%}", *map(str, counts), log_e, metric]


def _unanswered(arms: "tuple[ArmReport, ...]", metric: str | None) -> "Iterator[str]":
    """What the metric leaves out, for every arm: only shares that are alike can be left out of a comparison."""
    if any(each.unanswered for each in arms):
        shares = ", ".join(f"{each.name} {each.unanswered} ({each.unanswered_share or 0.0:.2%})" for each in arms)
        yield f"rows without a prediction, not in {metric}: {shares}"


def _differences(each: "ArmReport", metric: str | None) -> "Iterator[str]":
    """How an arm differs from the champion; nothing where too little is known."""
    for what, found in (
        (metric, each.difference),
        ("units with an error", each.error_rate),
        ("units with a slow answer", each.slow_rate),
    ):
        if found is not None:
            bounds = f"{found.low:+.4f} to {found.high:+.4f}"
            yield f"{each.name} less champion, {what}: {found.value:+.4f} ({bounds})"
