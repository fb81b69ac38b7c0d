"""Runbooks: every one is whole, every step of every one can be run, and those that only look really run."""

import os
import pwd
import re
import shlex
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.app.said import Said, said
from tests.app.test_people import CLOSED, PROMOTED, ROLLOUT, asking
from tests.control.world import BACK, NAME, first_champion, service

from flyball.app.cli.parsed import fault_of
from flyball.app.home import Home
from flyball.app.runbooks.reading import READERS, parse, reads_only
from flyball.app.runbooks.resolving import EXAMPLE, resolved, wants_incident
from flyball.app.runbooks.shelf import names, runbook, shelf
from flyball.app.runbooks.subject import subject_of
from flyball.app.runbooks.table import table
from flyball.app.wiring.ledger import ledger_of, open_ledger
from flyball.contracts.declaration.json_schema import resolved_schema
from flyball.control.alerts.table import row_of
from flyball.core import events as e
from flyball.core.errors import BadInput, NotFound

__all__ = ["said"]  # a fixture of the other file
ROOT = Path(__file__).resolve().parents[3]
ME = pwd.getpwuid(os.getuid()).pw_name
WANTED = {
    *("data-drift", "training-serving-skew", "pipeline-break", "resource-exhaustion", "latency-spike", "poisoning"),
    *("permission-failure", "stale-labels", "bad-rollout", "dead-dependency", "error-budget-spent", "service-failed"),
}
SMALL = """# Small

```yaml runbook
version: 2
reviewed: 2026-11-27
causes: [errors]
```

## When it applies

Always.

## How clients feel it

Not.

## Steps

### Look

See.

```console read-only
$ flyball status {service}
```

### Act

Do.

```console changing
$ flyball freeze {service} --why "{incident} by hand"
```

## Verify

Look again.

```console read-only
$ flyball explain {service}
```

## Escalate

Nobody.

## Automate

Nothing.
"""


def test_the_runbooks_that_alerts_link_to_are_all_there() -> None:
    assert set(names()) >= WANTED
    for one in shelf().values():
        assert one.version >= 1
        assert one.causes
        assert all((one.applies, one.clients, one.escalate, one.automate))
        assert all(step.text for step in one.steps)
        assert one.steps[-1].title == "Verify"


def test_every_step_of_every_runbook_can_be_run_as_it_stands() -> None:
    found = [(book.name, each) for book in shelf().values() for each in resolved(book, EXAMPLE, fault_of)]
    assert len(found) >= 6 * len(WANTED)
    assert [(name, each.command, each.fault) for name, each in found if each.fault] == []


def test_only_a_runbook_of_what_always_has_an_incident_asks_for_one() -> None:
    """An alert of latency, of a lost gateway or of labels mostly comes without an incident: only the worst has one."""
    values = {name: value for name, value in EXAMPLE.items() if name != "incident"}
    stopped = {name for name, book in shelf().items() for each in resolved(book, values, fault_of) if each.fault}
    assert stopped == {name for name, book in shelf().items() if wants_incident(book)} == {"pipeline-break"}


def test_keys_of_the_declaration_that_a_runbook_names_exist() -> None:
    schema = resolved_schema()
    sections = schema["$defs"]["Service"]["properties"]
    text = "\n".join((ROOT / "src/flyball/app/runbooks" / f"{name}.md").read_text() for name in names())
    named = {key for key in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)", text) if key.split(".")[0] in sections}
    assert len(named) > 5
    for key in named:
        where: dict[str, Any] = {"$ref": "#/$defs/Service"}
        for part in key.split("."):
            inner = _properties(where, schema)
            assert part in inner, key
            where = inner[part]


def _properties(where: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for option in (where, *where.get("anyOf", ()), where.get("items", {})):
        if "$ref" in option:
            found |= schema["$defs"][option["$ref"].rpartition("/")[2]].get("properties", {})
    return found


def test_a_verb_that_does_not_exist_an_option_that_does_not_and_a_missing_value_are_told() -> None:
    text = SMALL.replace("freeze {service}", "freez {service}").replace("status {service}", "status --zap")
    (look, act, verify) = resolved(parse("small", text), {"service": "fraud"}, fault_of)
    assert "--zap" in look.fault
    assert "nothing is known for incident" in act.fault
    assert (look.lacking, act.lacking) == ((), ("incident",)), "what to do about it goes by this, not by the words"
    assert verify.fault == ""
    (_, act, _) = resolved(parse("small", text), EXAMPLE, fault_of)
    assert "no verb freez" in act.fault


def test_a_faulty_runbook_tells_all_its_faults_at_once() -> None:
    text = (
        SMALL.replace("## Escalate\n", "## Whatever\n")
        .replace("$ flyball status", "$ flyball thaw")
        .replace("console changing", "console")
        .replace("version: 2", "version: two")
        .replace("$ flyball explain {service}", "flyball explain {nobody}")
    )
    with pytest.raises(BadInput) as told:
        parse("small", text)
    said = "\n".join(map(str, told.value.faults))
    for words in ("Escalate", "Whatever", "changing", "read-only", "Expected `int`", "$ command"):
        assert words in said


def test_only_verbs_that_exist_are_trusted_to_change_nothing() -> None:
    """A page for the verb is enough: another test holds that page against the verbs."""
    page = (ROOT / "docs/reference/cli.md").read_text()
    for verb in READERS:
        assert f"## {verb.split()[0]}" in page
    assert not reads_only(["flyball", "retrain", "fraud"])
    assert not reads_only(["rm", "-r", "x"])
    for told in ("--out x", "--out=x", "--ou=x", "--html=x", "--htm x"):
        assert not reads_only(shlex.split(f"flyball predictions query {told}"))
    assert reads_only(shlex.split("flyball predictions query --json"))


def test_a_services_own_runbook_takes_the_place_of_the_packages(tmp_path: Path) -> None:
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "data-drift.md").write_text(SMALL)
    (tmp_path / "runbooks" / "ours.md").write_text(SMALL)
    there = shelf(tmp_path)
    assert (there["data-drift"].own, there["data-drift"].version) == (True, 2)
    assert set(there) == {*names(), "ours"}
    assert runbook("ours", tmp_path).title == "Small"


def test_the_pages_are_the_files() -> None:
    page = (ROOT / "docs/reference/runbooks.md").read_text()
    assert table(shelf().values()) in page
    pages = {path.stem: path.read_text() for path in (ROOT / "docs/runbooks").glob("*.md")}
    assert set(pages) == set(names())
    for name, text in pages.items():
        assert f"../../src/flyball/app/runbooks/{name}.md" in text


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A service on a ledger, with an incident, and a runbook of its own beside it."""
    made = Home(tmp_path / "fraud" / ".flyball")
    monkeypatch.setenv("FLYBALL_HOME", str(made.root))
    declared, *others = first_champion()
    assert isinstance(declared, e.ServiceDeclared)
    people = {"metadata": {"name": NAME, "owner": "risk", "people": {ME: ["approver", "operator"]}}}
    declaration = msgspec.to_builtins(service()) | people
    opened = e.IncidentOpened(service=NAME, incident="in-1", kind="health", reason="r", cause="errors")
    with ledger_of(made) as ledger:
        ledger.append([replace(declared, declaration=declaration), *others, opened])
    (tmp_path / "fraud" / "service.yaml").write_text("")
    (tmp_path / "fraud" / "runbooks").mkdir()
    (tmp_path / "fraud" / "runbooks" / "small.md").write_text(SMALL)
    return made


def told(home: Home) -> list[e.AnyFact]:
    with closing(open_ledger(home)) as ledger:
        return [entry.fact for entry in ledger.read()]


def test_a_dry_run_names_the_commands_and_changes_nothing(home: Home, said: Said) -> None:
    before = told(home)
    code, document = said("runbook", "run", "small", "--service", NAME, "--dry-run")
    assert code == 0
    assert [each["command"] for each in document["commands"]] == [
        f"flyball status {NAME}",
        f"flyball freeze {NAME} --why 'in-1 by hand'",
        f"flyball explain {NAME}",
    ]
    assert told(home) == before


def test_without_a_yes_it_stops_before_what_changes_something_and_with_one_it_runs_and_is_told(
    home: Home, said: Said
) -> None:
    code, document = said("runbook", "run", "small", "--service", NAME)
    assert (code, document["stopped"]) == (1, True)
    assert [each["outcome"] for each in document["done"]] == ["done", "declined"]
    code, document = said("runbook", "run", "small", "--service", NAME, "--yes")
    assert (code, document["stopped"]) == (0, False)
    facts = told(home)
    (frozen,) = [fact for fact in facts if isinstance(fact, e.Frozen)]
    assert frozen.why == "in-1 by hand"
    steps = [fact for fact in facts if isinstance(fact, e.RunbookStepDone)]
    assert [fact.step for fact in steps] == ["1 Look", "1 Look", "2 Act", "3 Verify"]
    assert {(fact.incident, fact.by, fact.exit_code) for fact in steps} == {("in-1", ME, 0)}


def test_it_stops_at_a_failure_and_says_which(home: Home, said: Said) -> None:
    own = home.root.parent / "runbooks" / "small.md"
    own.write_text(SMALL.replace("flyball freeze {service}", "flyball freeze nobody-like-that"))
    code, document = said("runbook", "run", "small", "--service", NAME, "--yes", "--step", "2")
    assert (code, document["done"][-1]["outcome"]) == (1, "failed")
    assert document["done"][-1]["exit_code"] == 2
    (step,) = [fact for fact in told(home) if isinstance(fact, e.RunbookStepDone)]
    assert step.exit_code == 2


RUNS = "$ flyball rollout status {service} --whether running\n"
ASKS = "### Back\n\nDo.\n\n```console read-only whether-any\n" + RUNS + "```\n\n"
ABORT = "```console changing where-any\n$ flyball rollout abort {service} --why x\n```\n\n"
OTHERWISE = "```console changing otherwise\n$ flyball freeze {service} --why x\n```\n\n"
EITHER = SMALL.replace("### Act\n", ASKS + ABORT + OTHERWISE + "### Act\n")


def test_where_there_is_nothing_of_the_kind_what_is_otherwise_is_run(home: Home, said: Said) -> None:
    (home.root.parent / "runbooks" / "small.md").write_text(EITHER)
    code, document = said("runbook", "run", "small", "--service", NAME, "--yes", "--step", "2")
    assert (code, document["stopped"]) == (0, False)
    assert [each["outcome"] for each in document["done"]] == ["no", "skipped", "done"]
    assert any(isinstance(fact, e.Frozen) for fact in told(home))


def test_where_there_is_something_of_the_kind_what_is_otherwise_is_not_run(home: Home, said: Said) -> None:
    put(home, *asking())
    (home.root.parent / "runbooks" / "small.md").write_text(EITHER)
    code, document = said("runbook", "run", "small", "--service", NAME, "--yes", "--step", "2")
    assert code == 0
    assert [each["outcome"] for each in document["done"]] == ["done", "done", "skipped"]
    assert not any(isinstance(fact, e.Frozen) for fact in told(home))


def test_a_command_that_fails_is_not_taken_for_nothing_of_its_kind(home: Home, said: Said) -> None:
    """Exit code 1 of what changes something: a right is missing, somebody else wrote first, or it crashed."""
    put(home, *asking())
    aborting = EITHER.replace("flyball rollout abort {service}", "flyball rollout undo {service}")  # refused: one runs
    (home.root.parent / "runbooks" / "small.md").write_text(aborting)
    code, document = said("runbook", "run", "small", "--service", NAME, "--yes", "--step", "2")
    assert (code, document["stopped"]) == (1, True)
    assert [(each["outcome"], each["exit_code"]) for each in document["done"]] == [("done", 0), ("failed", 1)]
    assert not any(isinstance(fact, e.Frozen) for fact in told(home))


def test_what_depends_on_a_question_needs_one_before_it_in_its_step() -> None:
    with pytest.raises(BadInput) as caught:
        parse("small", SMALL.replace("### Act\n", "### Back\n\nDo.\n\n" + ABORT + "### Act\n"))
    assert "`console read-only whether-any` before it in the same step" in str(caught.value)
    with pytest.raises(BadInput, match="changes nothing"):
        parse("small", EITHER.replace("rollout status {service} --whether running", "rollout abort {service} --why x"))


def test_questions_that_follow_one_another_are_one_and_a_later_one_begins_anew(home: Home, said: Said) -> None:
    """Promoted and running exclude one another, so both are never answered by a yes."""
    put(home, *asking())
    two = EITHER.replace(RUNS, "$ flyball rollout status {service} --whether promoted\n" + RUNS)
    (home.root.parent / "runbooks" / "small.md").write_text(two)
    _, document = said("runbook", "run", "small", "--service", NAME, "--yes", "--step", "2")
    assert [each["outcome"] for each in document["done"]] == ["no", "done", "skipped", "done"]
    again = two.replace(OTHERWISE, OTHERWISE + "```console read-only whether-any\n" + RUNS + "```\n\n" + ABORT)
    (home.root.parent / "runbooks" / "small.md").write_text(again)
    _, document = said("runbook", "run", "small", "--service", NAME, "--yes", "--step", "2")
    assert [each["outcome"] for each in document["done"]][-2:] == ["done", "done"]


BACKWARDS = ("rollback", "rollout abort", "rollout undo")


def test_no_runbook_takes_anything_back_without_asking_whether_there_is_something() -> None:
    found = [
        (book.name, each.when)
        for book in shelf().values()
        for step in book.steps
        for each in step.commands
        if each.line.removeprefix("flyball ").startswith(BACKWARDS)
    ]
    assert len(found) >= 8
    assert [name for name, when in found if when != "where-any"] == []


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("dead-dependency", "4"),
        ("poisoning", "4"),
        *(
            pytest.param(*each, marks=pytest.mark.slow)  # they ask the same question as the first
            for each in (("error-budget-spent", "5"), ("latency-spike", "4"))
        ),
        *(
            pytest.param(*each, marks=pytest.mark.slow)
            for each in (("service-failed", "3"), ("training-serving-skew", "3"))
        ),
    ],
)
def test_nobody_is_taken_back_where_nothing_is_wrong_or_there_is_nothing_to_go_back_to(
    name: str, step: str, home: Home, said: Said
) -> None:
    def ordered() -> int:
        code, document = said("runbook", "run", name, "--service", NAME, "--yes", "--step", step)
        assert (code, document["stopped"]) == (0, False), document
        return sum(isinstance(fact, e.RollbackOrdered) for fact in told(home))

    assert ordered() == 0, "an incident is open, and no release came before this one"
    put(home, *asking(), *PROMOTED)
    if name != "poisoning":  # of which nothing may be seen
        put(home, e.IncidentClosed(service=NAME, incident="in-1", how="recovered", reason="over"))
        assert ordered() == 0, "there is one, and nothing is wrong any more"
        put(home, e.IncidentOpened(service=NAME, incident="in-2", kind="health", reason="r", cause="errors"))
    assert ordered() == 1
    assert ordered() == 1, "a way back is under way"


def put(home: Home, *facts: e.AnyFact) -> None:
    with ledger_of(home) as ledger:
        ledger.append(facts)


TAKEN_BACK = (*asking(), replace(BACK, rollout=ROLLOUT), CLOSED)  # by the gateway


def test_where_the_candidate_was_taken_back_already_no_runbook_takes_the_champion(home: Home, said: Said) -> None:
    named = runbook(row_of("rollback").runbook)
    assert not [each for step in named.steps for each in step.commands if each.changing]
    put(home, *TAKEN_BACK)
    code, document = said("runbook", "run", "bad-rollout", "--service", NAME, "--yes")
    assert (code, document["stopped"]) == (0, False), document
    assert not any(isinstance(fact, e.RollbackOrdered) for fact in told(home))


def test_a_bad_champion_that_was_promoted_is_taken_back_once(home: Home, said: Said) -> None:
    put(home, *asking(), *PROMOTED)
    code, document = said("runbook", "run", "bad-rollout", "--service", NAME, "--yes", "--step", "3")
    assert code == 0
    assert [each["outcome"] for each in document["done"]] == ["done", "done"]
    code, document = said("runbook", "run", "bad-rollout", "--service", NAME, "--yes", "--step", "3")
    assert [each["outcome"] for each in document["done"]] == ["no", "skipped"]
    assert sum(isinstance(fact, e.RollbackOrdered) for fact in told(home)) == 1


def raised(alert: str, cause: str, runbook: str, incident: str | None = None) -> e.AlertRaised:
    return e.AlertRaised(
        service=NAME, alert=alert, cause=cause, name="X", urgency="page", summary="s", detail="d", runbook=runbook,
        owner="risk", to=("ada",), incident=incident,
    )  # fmt: skip


def test_a_run_is_about_the_alert_that_links_the_runbook_and_not_about_another_that_is_open(home: Home) -> None:
    broken = e.IncidentOpened(service=NAME, incident="in-2", kind="data_quality", reason="r", cause="data_quality")
    with ledger_of(home) as ledger:
        ledger.append([broken, raised("al-1", "data_quality", "pipeline-break", "in-2")])
        book = runbook("error-budget-spent")
        subject, values = subject_of(ledger, NAME, None, book=book)
        assert (subject.incident, subject.alert, values["about"]) == (None, None, "runbook error-budget-spent")
        assert not [each for each in resolved(book, values, fault_of) if each.fault]
        ledger.append([raised("al-2", "budget/inputs", "error-budget-spent")])
        subject, values = subject_of(ledger, NAME, None, book=book)
        assert (subject.incident, subject.alert, values["about"]) == (None, "al-2", "al-2")
        subject, _ = subject_of(ledger, NAME, None, book=runbook("pipeline-break"))
        assert (subject.incident, subject.alert) == ("in-2", "al-1")
        subject, _ = subject_of(ledger, NAME, None, book=book, alert="al-1")
        assert (subject.incident, subject.alert) == ("in-2", "al-1")
        with pytest.raises(NotFound):
            subject_of(ledger, NAME, None, book=book, alert="al-9")


def test_a_repair_that_is_owed_is_about_the_incident_whose_rows_are_kept_out_also_when_that_is_over(home: Home) -> None:
    over = e.IncidentClosed(service=NAME, incident="in-1", how="recovered", reason="over")
    with ledger_of(home) as ledger:
        ledger.append([over, raised("al-1", "repair/in-1", "pipeline-break")])
        book = runbook("pipeline-break")
        subject, values = subject_of(ledger, NAME, None, book=book)
    assert (subject.incident, subject.alert) == ("in-1", "al-1")
    assert not [each for each in resolved(book, values, fault_of) if each.fault]


def test_a_step_that_is_not_there_and_a_runbook_that_is_not(home: Home, said: Said) -> None:
    assert said("runbook", "run", "small", "--service", NAME, "--step", "9")[0] == 2
    assert said("runbook", "show", "no-such-book")[0] == 2
    assert said("runbook", "run", "small", "--service", "nobody")[0] == 2
