"""What the model asks hangs: rows that need it are not answered by the deadline, and neither are their neighbours."""

from flyball.app.drills.fault import DrillFault, by_the_word

FAULT = DrillFault(
    name="upstream_stall",
    what="what the model asks hangs longer than the deadline",
    share=0.05,
    told_by=("signal/error", "health/errors", "health/availability", "health/fallback", "incident/upstream"),
    inject=by_the_word,
)
