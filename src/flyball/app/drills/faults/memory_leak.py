"""The model of a worker keeps what it should give back; the worker grows until it has to make room for a fresh one."""

from flyball.app.drills.fault import DrillFault, by_the_word

FAULT = DrillFault(
    name="memory_leak",
    what="each row of the share leaves 8 MB behind in the worker that answers it",
    share=0.05,
    told_by=("process/worker", "health/resources"),
    inject=by_the_word,
    ends="recovered",
)
