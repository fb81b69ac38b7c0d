"""What the keys of `retrain` and `autonomy` mean, for the schema and the reference page."""

RETRAINED = {
    "Retrain": {
        "triggers": "What opens a retrain ticket: the signals `drift`, `risk`, `trend` (a concept slowly lost); "
        "`new_data`, `commit` (also tags, and code that `up` sees changed) and `webhook` by message.",
        "schedule": "Cron, five fields, UTC: `0 3 * * 0`. Moments that were missed count once.",
        "new_data_rows": "With the trigger `new_data`: labelled rows since the last training that ask for one; "
        "null: only a message does.",
        "from": "Rows to learn from: captured in live traffic with their labels, or the source read again.",
        "window_rows": "Newest rows that are used.",
        "min_new_rows": "Rows with labels that must have come since the last training.",
        "cooldown_s": "Least time between two retrainings.",
        "bake_s": "Time beside the label window before which a new champion's effect cannot be seen.",
        "rest_after": "Retrainings in a row without gain after which the triggers rest.",
        "pressure": "A PID on drift and loss that asks in the place of their own rules; null: it is shown, and asks "
        "nothing.",
        "budget": "What the loop may spend alone.",
    },
    "PressureRule": {
        "kp": "Weight of the newest window's error. An error is counted in set points: `monitor.psi.warn`, or "
        "`monitor.live_metric.max_loss`.",
        "ki": "Weight of the sum of errors, for each full window of rows.",
        "kd": "Weight of the change of the error from window to window.",
        "enter": "From this pressure on a retraining is wanted.",
        "exit": "Until it is below this.",
    },
    "Budget": {
        "runs_per_week": "Retrainings in any seven days; null: no limit.",
        "tickets_per_week": "Tickets in any seven days that ask a person; beyond it what asks waits, and asks as one.",
        "epsilon_per_run": "What a training spends of differential privacy, as you declare it: it is not verified.",
        "epsilon_total": "Sum of it over all trainings on the ledger, beyond which the loop trains no more.",
        "cost_per_week": "Cost of all runs in any seven days, as `experiment.limits.cost_per_hour` counts it.",
    },
    "Autonomy": {
        "rollback": "Rollback needs nobody.",
        "retrain": "How far a retraining goes without a person, at most.",
        "earned": "Whether retraining begins at `suggest` and earns each further rung by good outcomes.",
        "reviews": "Good outcomes, as people review them, for a rung; also for one that a harmful outcome took away.",
        "promote": "Whether a person must approve a promotion.",
        "first": "Whether the first release that passes its gates becomes champion by itself.",
    },
}
