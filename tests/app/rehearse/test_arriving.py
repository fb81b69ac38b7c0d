"""The holdback of a soak is whom the champion answers at the step's own weight, whatever the shares are in between."""

from msgspec.structs import replace
from tests.control.world import FIRST, NAME, POLICY, SECOND

from flyball.app.rehearse.arriving import Holdback
from flyball.app.rehearse.witness import Stand
from flyball.core import events as e
from flyball.core.ids import Epoch, RolloutId
from flyball.core.ledger import Entry
from flyball.core.routing import Routing

NAMED = RolloutId("ro-1")
OPENED = e.RolloutOpened(
    service=NAME, rollout=NAMED, release=SECOND, champion=FIRST, policy=POLICY, salt="s", reason="first"
)


def soaking(epoch: int, weight: int) -> e.StepStarted:
    routing = Routing(service=NAME, epoch=Epoch(epoch), champion=FIRST, candidate=SECOND, weight=weight)
    return e.StepStarted(service=NAME, rollout=NAMED, step=3, kind="soak", key="k", routing=routing, why="w")


def complaints(*what: e.AnyFact | tuple[int, str, str]) -> list[str]:
    holdback = Holdback()
    found: list[str] = []
    entry = Entry(seq=1, at="", type="", subject=NAME, fact=OPENED, prev_hash="", hash="")
    for each in (OPENED, *what):
        if isinstance(each, tuple):
            found += holdback.stand(Stand(assigned=(each,)))
        else:
            found += holdback.entry(replace(entry, fact=each))
    return found


FULL, EVEN, AGAIN = soaking(5, 9000), soaking(6, 5000), soaking(7, 9000)


def test_units_between_the_holdback_and_even_shares_go_back_and_forth() -> None:
    told = complaints(
        FULL, (5, "middle", "candidate"), EVEN, (6, "middle", "champion"), AGAIN, (7, "middle", "candidate")
    )
    assert told == []


def test_a_unit_of_the_holdback_is_never_tried_at_whatever_shares() -> None:
    for later, epoch in ((EVEN, 6), (AGAIN, 7)):
        (told,) = complaints(FULL, (5, "held", "champion"), later, (epoch, "held", "candidate"))
        assert told == f"unit held of the holdback got the candidate in epoch {epoch}"


def test_what_breaks_for_a_thousand_units_is_told_once_an_epoch() -> None:
    rows = [*((5, str(n), "champion") for n in range(9)), *((5, str(n), "candidate") for n in range(9))]
    assert len(complaints(FULL, *rows)) == 1
