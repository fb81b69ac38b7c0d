"""What the keys of `rollout.steps` mean, for the schema and the reference page."""

STEPPED: dict[str, dict[str, str]] = {
    "Step": {
        "shadow": "The candidate answers copies of live rows; clients never see it.",
        "approval": "A person says yes or no.",
        "canary": "The candidate answers a share of the units.",
        "pause": "The traffic stays as it is, for a time or until a person resumes.",
        "soak": "All units but a holdback get the candidate while late labels are waited for.",
        "promote": "The candidate becomes champion.",
    },
    "Shadow": {
        "share": "Ceiling of the share of rows mirrored; 1.0 below ten requests a second.",
        "min_pairs": "Rows that both arms must have answered.",
        "labels": "Whether the step needs labels.",
        "max_disagreement": "Share of differing answers that stops the rollout.",
        "min_s": "Least duration.",
        "timeout_s": "After this the step is inconclusive.",
        "on_timeout": "What then happens; `extend` gives the step its time once more, then holds.",
    },
    "Approval": {
        "role": "Role that may approve.",
        "quorum": "Different people who have to say yes; where people are declared, enough of them need the role.",
        "timeout_s": "After this the request expires.",
        "on_timeout": "What then happens: the rollout ends, or (`hold`, `extend`) it is asked for anew.",
    },
    "Canary": {
        "weight": "Candidate's share of units, in steps of 0.0001.",
        "min_requests": "Rows that the candidate itself must have answered.",
        "min_s": "Least duration.",
        "timeout_s": "After this the step is inconclusive.",
        "on_timeout": "What then happens; `extend` gives the step its time once more, then holds.",
    },
    "Soak": {
        "holdback": "Share of units that keeps the champion; the same units all the time.",
        "min_requests": "Requests of the candidate's own.",
        "min_s": "Least duration.",
        "timeout_s": "After this the step is inconclusive.",
        "on_timeout": "What an inconclusive step does.",
        "max_errors": "Own error events of the rollout, in place of the guardrails'; none: statistics alone.",
    },
    "Pause": {"duration_s": "How long; null: until `flyball rollout resume`."},
    "Promote": {},
}
