"""What the keys of `policy` mean, and with them those of `healing`, for the schema and the reference page."""

from flyball.contracts.declaration.descriptions_of_healing import HEALED

DECIDED = {
    **HEALED,
    "Policy": {
        "rules": "What never happens, needs people, or goes alone, while a condition holds; never the way back.",
        "approvals_per_day": "Approvals asked of people in any 24 hours; a later rollout waits. Null: any number.",
        "exceptions": "The two-person exception for a failed gate.",
    },
    "Rule": {
        "action": "A training, the opening of a rollout, a canary step, soak and promotion, an exception for a gate.",
        "when": "CEL over the facts of the policy; what cannot be told counts as the stricter answer.",
        "effect": "Never, or needs people (promote, retrain), or asks nobody (promote: alone), while that holds.",
        "quorum": "needs, promote: how many different people with the role of the approval step.",
        "reason": "Why, for people; stands in each decision that it binds.",
    },
    "Exceptions": {
        "longest_s": "Longest time from the request of an exception to its end; at most `7d`.",
    },
}
