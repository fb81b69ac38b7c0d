"""The draft of a postmortem: a golden page, no names, and nothing that nobody measured."""

from pathlib import Path

from msgspec.structs import replace
from tests.control.incidents.test_timeline import told

from flyball.app.incidents.impact import Impact
from flyball.app.incidents.postmortem import postmortem
from flyball.app.wiring.asking.incidents import people_of
from flyball.control.incidents.timeline import timeline
from flyball.core import events as e

GOLDEN = Path(__file__).with_name("postmortem.md")
IMPACT = Impact(rows=1200, outcomes={"answered": 1100, "fallback": 80, "failed": 20}, fallbacks=80, slow=3)


def test_the_draft_is_this_page() -> None:
    entries = told()
    text = postmortem(timeline("in-1", entries, before_s=3600.0), IMPACT, people=people_of(entries))
    assert text == GOLDEN.read_text()


def test_it_names_no_person() -> None:
    entries = told()
    assert people_of(entries) == ("ada",)
    text = postmortem(timeline("in-1", entries, before_s=3600.0), IMPACT, people=people_of(entries))
    assert "ada" not in text
    assert "a person froze the service" in text


def test_what_nobody_knows_says_so_and_questions_stay_questions() -> None:
    gone = e.IncidentClosed | e.ForensicsKept | e.RemedyBegun | e.RemedyVerified
    entries = [one for one in told() if not isinstance(one.fact, gone)]
    opened = next(one for one in entries if isinstance(one.fact, e.IncidentOpened))
    assert isinstance(opened.fact, e.IncidentOpened)
    entries[entries.index(opened)] = replace(opened, fact=replace(opened.fact, began=""))
    text = postmortem(timeline("in-1", entries, before_s=60.0), Impact(unknown="there is no log"), people=())
    for words in (
        "**Began:** not known",
        "Not known: there is no log.",
        "How long it went unseen is not known.",
        "No alert was raised in its time.",
        "It is not over.",
        "No automatic remedy was tried.",
        "Nothing was kept.",
    ):
        assert words in text
    assert text.count("Question:") == 4
    assert " 0 answers" not in text
