"""What the model asks is slow: rows that need it are answered in time, and later than promised."""

from flyball.app.drills.fault import DrillFault, by_the_word

FAULT = DrillFault(
    name="latency",
    what="what the model asks takes longer than the objective",
    share=0.05,
    told_by=("signal/latency", "health/latency"),
    inject=by_the_word,
)
