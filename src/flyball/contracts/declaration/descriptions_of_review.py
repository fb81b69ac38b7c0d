"""What the keys of `review` mean, for the schema and the reference page."""

REVIEWED = {
    "Review": {
        "digests": "Digests that the controller writes by itself when their period is over: `weekly`, `monthly`, "
        "`quarterly`; none: only `flyball digest` does.",
        "digest_grace_s": "After the end of a period, before a digest that is not there is overdue.",
        "backup_every_s": "How often `flyball backup` is to be made, at least: later it is overdue (`overdue/backup`); "
        "null: nobody waits for it, and `flyball ready` asks for one of the last week.",
        "pages_per_week": "Alert budget: pages that one person on call may get in a week; more is a signal.",
        "serving_cost_per_hour": "What an hour of serving costs, in the unit of `experiment.limits.cost_per_hour`; "
        "null: not known, and with it the cost of a prediction.",
        "targets": "What the figures of `flyball scorecard` are held to.",
    },
    "Targets": {
        "availability": "Least share of the rows that got an answer.",
        "incidents_per_month": "Most incidents of data health in a month.",
        "detect_s": "Longest mean time from the beginning of an incident to its opening.",
        "recover_s": "Longest mean time from the opening of an incident until what it was about was over.",
        "checked_share": "Least share of deployments that went through a shadow, a canary or a soak.",
        "automated_share": "Least share of remedies that needed no hand.",
        "lead_time_s": "Longest median time from the commit, or the start of the experiment, to the champion's place.",
        "deployments_per_week": "Fewest deployments in a week.",
        "pipeline_success": "Least share of runs that ended well without a hand.",
        "change_failure_share": "Largest share of changes that were taken back.",
        "reproducible_share": "Least share of the experiments that were run again, and came out the same.",
        "cost_per_prediction": "Largest cost of a row; null: no target.",
    },
}
