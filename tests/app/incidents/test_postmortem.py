"""The draft of a postmortem: a golden page, no names, and nothing that nobody measured."""

from pathlib import Path

from msgspec.structs import replace
from tests.control.incidents.test_planning import at
from tests.control.incidents.test_timeline import declared, told
from tests.control.world import NAME

from flyball.app.incidents.impact import Impact
from flyball.app.incidents.postmortem import postmortem
from flyball.app.incidents.roles import roles_of
from flyball.control.incidents.timeline import timeline
from flyball.core import events as e
from flyball.core.ledger import Entry

GOLDEN = Path(__file__).with_name("postmortem.md")
IMPACT = Impact(
    rows=1200,
    outcomes={"answered": 1100, "fallback": 80, "failed": 20},
    fallbacks=80,
    slow=3,
    late=25,
    limit_ms=300.0,
)


def test_the_draft_is_this_page() -> None:
    entries = told()
    assert postmortem("in-1", entries, IMPACT, before_s=3600.0) == GOLDEN.read_text()


def test_it_names_no_person() -> None:
    entries = told()
    assert roles_of(entries) == {"ada": "a person"}
    text = postmortem("in-1", entries, IMPACT, before_s=3600.0)
    assert "ada" not in text
    assert "a person froze the service" in text


def test_what_nobody_knows_says_so_and_questions_stay_questions() -> None:
    gone = e.IncidentClosed | e.ForensicsKept | e.RemedyBegun | e.RemedyVerified
    entries = [one for one in told() if not isinstance(one.fact, gone)]
    opened = next(one for one in entries if isinstance(one.fact, e.IncidentOpened))
    assert isinstance(opened.fact, e.IncidentOpened)
    entries[entries.index(opened)] = replace(opened, fact=replace(opened.fact, began=""))
    text = postmortem("in-1", entries, Impact(unknown="there is no log"), before_s=60.0)
    for words in (
        "**Began:** not known",
        "Not known: there is no log.",
        "How long it went unseen is not known.",
        "No alert of it was raised.",
        "It is not over.",
        "No automatic remedy was tried.",
        "Nothing was kept.",
    ):
        assert words in text
    assert text.count("Question:") == 4
    assert " 0 answers" not in text


def alert(alert: str, cause: str, *to: str, incident: str | None = None, test: bool = False) -> e.AlertRaised:
    return e.AlertRaised(
        service=NAME, alert=alert, cause=cause, name="X", urgency="page", summary=f"{cause} is wrong", detail="d",
        runbook="bad-rollout", owner="risk", to=to, incident=incident, test=test,
    )  # fmt: skip


def with_facts(*facts: tuple[float, e.AnyFact]) -> list[Entry]:
    """The story of the timeline, and what else happened, in order."""
    added = [
        Entry(
            seq=0, at=at(seconds), type=str(type(fact).__struct_config__.tag), subject=NAME, fact=fact, prev_hash="",
            hash="",
        )
        for seconds, fact in facts
    ]  # fmt: skip
    there = sorted([*told(), *added], key=lambda one: one.at)
    return [replace(one, seq=seq) for seq, one in enumerate(there, start=1)]


ON_CALL = declared(
    metadata={"name": NAME, "owner": "risk", "people": {"ada": ["approver", "operator"]}},
    alerts={"on_call": ["bob", ["eve@example.org", "ada"]], "owner": "risk"},
)


def test_who_was_told_is_told_as_a_role() -> None:
    entries = with_facts(
        (-9999, ON_CALL),
        (4, alert("al-1", "errors", "bob", incident="in-1")),
        (5, alert("al-2", "drift/amount", "risk")),
        (6, e.AlertHeld(service=NAME, cause="latency", name="Y", by="canary", why="a canary is late")),
        (7, e.SilenceEnded(service=NAME, silence="si-1", by="time", why="over for the second time")),
        (50, e.AlertEscalated(service=NAME, alert="al-1", level=1, to=("eve@example.org", "ada"), why="bob is away")),
        (55, e.AlertAcked(service=NAME, alert="al-1", by="ada", proof="token", why="mine")),
    )
    text = postmortem("in-1", entries, IMPACT, before_s=3600.0)
    for name in ("ada", "bob", "eve@"):
        assert name not in text
    for words in (
        "page al-1 (X) to a person (on call): errors is wrong",
        "page al-2 (X) to the owner: drift/amount is wrong",
        "escalated to a person (on call), a person (approver, on call, operator) (level 1): a person (on call) is away",
        "a person (approver, on call, operator) has alert al-1: mine",
        "nobody was told of Y (canary): a canary is late",
        "silence si-1 ended (by time): over for the second time",
    ):
        assert words in text


def first_told(*facts: tuple[float, e.AnyFact]) -> str:
    text = postmortem("in-1", with_facts(*facts), IMPACT, before_s=3600.0)
    return text.partition("## Detection")[2].partition("Question:")[0]


def test_the_first_alert_is_the_incidents_own() -> None:
    others = ((-500.0, alert("al-0", "errors", "bob", incident="in-0")), (2.0, alert("al-1", "drift/amount", "bob")))
    tested = (3.0, alert("al-2", "errors", "bob", test=True))
    assert "No alert of it was raised." in first_told(*others, tested)
    found = first_told(*others, tested, (7.0, alert("al-3", "errors", "bob", incident="in-1")))
    assert "The first alert of it: 2026-11-21T10:00:07.000000Z, page al-3" in found
    before = first_told(*others, (-20.0, alert("al-4", "errors", "bob")))
    assert "al-4" in before, "raised before the incident was opened, after it began"


def remedy(name: str, cause: str, incident: str | None = None) -> e.RemedyBegun:
    return e.RemedyBegun(
        service=NAME, remedy=name, kind="fall_back", cause=cause, number=0, why="w", verify_by=at(99), incident=incident
    )


def helped(name: str) -> e.RemedyVerified:
    return e.RemedyVerified(service=NAME, remedy=name, helped="yes", why="gone")


def test_what_was_tried_is_of_this_incident_or_of_its_cause_in_its_span() -> None:
    entries = with_facts(
        (-900, remedy("re-before", "errors")),
        (-500, remedy("re-earlier", "errors", "in-0")),
        (-10, remedy("re-early", "errors")),  # after it began, before it was opened
        (4, remedy("re-own", "errors", "in-1")),
        (5, remedy("re-other", "drift/amount")),
        (6, remedy("re-drill", "errors", "in-drill")),
        (6.5, replace(remedy("re-drilled", "errors"), drill="dr-1")),
        (7, e.FallbackExercised(service=NAME, link="constant", period=1, rows=5, answered=5, agreed=5)),
        *(
            (8 + place, helped(f"re-{name}"))
            for place, name in enumerate(("earlier", "early", "own", "other", "drill"))
        ),
        (20, e.RemedyEnded(service=NAME, remedy="re-before", why="gone")),
    )
    text = postmortem("in-1", entries, IMPACT, before_s=3600.0)
    named = text.partition("What was tried:")[2].partition("acts in its time")[0]
    listed = [line.split("remedy ")[1].split()[0] for line in named.splitlines() if line.startswith("- ")]
    assert sorted(listed) == sorted(["re-early", "re-1", "re-own"] * 2)
    assert "re-other" in text.partition("## Timeline")[2], "what else happened in its time is in its timeline"


def test_an_alert_that_its_own_was_held_behind_told_of_it() -> None:
    held = e.AlertHeld(service=NAME, cause="errors", name="X", by="inhibited", why="w", behind="availability")
    found = first_told((2.0, alert("al-1", "availability", "bob")), (3.0, held))
    assert "page al-1" in found


def gateway(silent_s: float, life: str) -> e.ProcessStarted:
    return e.ProcessStarted(service=NAME, process="gateway", life=life, silent_s=silent_s)


def test_for_how_long_nobody_answered_is_in_its_counts_and_in_its_timeline() -> None:
    """133 requests of a killed gateway were lost: "0 answers failed", and the fact was among the lines left out."""
    entries = with_facts(
        (-3000, gateway(900.0, "a")),  # before it: it may have caused it, and costs it nothing
        (50, gateway(13.8, "b")),
        (60, gateway(0.0, "c")),
        (410, gateway(20.0, "d")),  # it began 10 s before its end
    )
    text = postmortem("in-1", entries, IMPACT, before_s=3600.0)
    counts = text.partition("## Impact")[2].partition("Question:")[0]
    assert "For 24 s of it no gateway answered: what clients asked then is lost, and in no count." in counts
    told = text.partition("## Timeline")[2].partition("## What is kept")[0]
    started = [line for line in told.splitlines() if "a gateway process started" in line]
    assert [line.split("answered for ")[1].split()[0] for line in started] == ["900", "14", "20"]
    assert all("in no count" in line for line in started)
    assert "1 lines of decisions and processes are left out" in told
    unknown = postmortem("in-1", entries, Impact(unknown="there is no log"), before_s=3600.0)
    assert "For 24 s of it no gateway answered" in unknown


def test_an_outage_before_an_incident_is_among_what_may_have_caused_it() -> None:
    entries = with_facts((-3000, gateway(900.0, "a")), (-2000, gateway(0.0, "b")))
    found = timeline("in-1", entries, before_s=3600.0)
    assert [line.at for line in found.lines if line.type == "process.started"] == [at(-3000)]
    assert "no gateway answered" not in postmortem("in-1", entries, IMPACT, before_s=3600.0)
