"""A release that passes its gates and goes wrong under live traffic; made and offered by the real `flyball train`."""

from flyball.app.drills.fault import DrillFault, Stage, by_the_word


async def _offer(stage: Stage) -> None:
    """Before the clock starts: the fault begins when the candidate has live traffic."""
    await stage.offer({"strength": 0.5, "bad": True})


FAULT = DrillFault(
    name="bad_candidate",
    what="a candidate in its canary fails on a share of its rows",
    share=0.30,
    told_by=("rollback",),
    inject=by_the_word,
    ends="recovered",
    prepare=_offer,
)
