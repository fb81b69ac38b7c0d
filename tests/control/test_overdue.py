"""What a service owes by its own facts and its own declaration."""

from datetime import timedelta

from msgspec.structs import replace
from tests.control.alerts.watch import Watch
from tests.control.loop import Loop
from tests.control.world import NAME, service

from flyball.control.overdue import links, overdue
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.declared.serving import Constant, FallbackLink, Serving
from flyball.core.service import Review

CHAIN = Serving(fallback=("previous", FallbackLink(constant=Constant(prediction=0))))
DECLARED = replace(service(), serving=CHAIN, drills={"disaster": "quarterly", "fallback": "weekly"})


def owed(loop: Loop, days: float) -> list[str]:
    now = timestamp(loop.clock.now() + timedelta(days=days))
    return [each.cause for each in overdue(loop.reconciler.catch_up(), DECLARED, now)]


def test_drills_and_links_are_owed_until_they_are_done() -> None:
    loop = Loop(DECLARED)
    assert owed(loop, 1) == []
    assert owed(loop, 95) == [
        "overdue/drill-fallback-constant",
        "overdue/drill-fallback-previous",
        "overdue/drill-disaster",
    ]
    loop.write(e.FallbackExercised(service=NAME, link="constant", period=1, rows=20, answered=20, agreed=0))
    loop.write(e.DrillEnded(service=NAME, drill="dr-1", fault="disaster", outcome="passed"))
    assert owed(loop, 13) == []
    assert set(owed(loop, 15)) == {"overdue/drill-fallback-previous", "overdue/drill-fallback-constant"}


def test_a_drill_that_was_aborted_is_still_owed() -> None:
    loop = Loop(DECLARED)
    loop.write(e.DrillEnded(service=NAME, drill="dr-1", fault="disaster", outcome="aborted"))
    assert "overdue/drill-disaster" in owed(loop, 95)


def test_a_backup_is_owed_so_often_as_is_declared_and_not_before() -> None:
    daily = replace(service(), review=Review(backup_every_s=86_400.0))
    loop = Loop(daily)

    def owed_after(hours: float) -> list[str]:
        now = timestamp(loop.clock.now() + timedelta(hours=hours))
        return [f"{each.cause}: {each.why}" for each in overdue(loop.reconciler.catch_up(), daily, now)]

    assert owed_after(23) == []
    assert owed_after(25) == ["overdue/backup: backup was never done, and is wanted every 1 days"]
    at = timestamp(loop.clock.now() + timedelta(hours=24))
    loop.write(e.BackupMade(service=NAME, folder="/aside", made_at=at, entries=1, newest_at=at, size=1))
    assert owed_after(47) == []
    assert [each.split(":")[0] for each in owed_after(49)] == ["overdue/backup"]
    assert overdue(loop.reconciler.state, service(), timestamp(loop.clock.now() + timedelta(days=900))) == ()


def test_a_backup_that_is_late_is_a_ticket_until_it_is_made() -> None:
    watch = Watch()
    watch.service = replace(watch.service, review=Review(backup_every_s=86_400.0))
    assert watch.kinds() == []
    assert watch.after(2 * 86_400).kinds() == ["raised overdue/backup ticket"]
    at = watch.situation().now
    made = e.BackupMade(service=NAME, folder="/aside", made_at=at, entries=1, newest_at=at, size=1)
    assert watch.say(made).kinds() == ["resolved"]


def test_the_links_of_a_chain_have_the_names_of_their_exercises() -> None:
    assert links(DECLARED.serving) == ("previous", "constant")


def test_an_overdue_drill_is_a_ticket_until_it_is_made() -> None:
    watch = Watch()
    watch.service = replace(watch.service, drills={"disaster": "weekly"})
    assert watch.kinds() == []
    assert watch.after(8 * 86_400).kinds() == ["raised overdue/drill-disaster ticket"]
    made = e.DrillEnded(service=NAME, drill="dr-1", fault="disaster", outcome="passed")
    assert watch.say(made).kinds() == ["resolved"]
