"""What the keys of `policy` mean, for the schema and the reference page."""

DECIDED = {
    "Policy": {
        "rules": "What never happens, or needs further people, while a condition holds; never the way back.",
        "exceptions": "The two-person exception for a failed gate.",
    },
    "Rule": {
        "action": "What it is about: a training, the opening of a rollout, or soak and promotion.",
        "when": "CEL over the facts of the policy; what cannot be told counts as true.",
        "effect": "That it never happens while the condition holds, or (promote) whose word it needs.",
        "quorum": "needs: of how many different people with the role of the approval step.",
        "reason": "Why, for people; stands in each decision that it binds.",
    },
    "Exceptions": {
        "longest_s": "Longest time from the request of an exception to its end; at most `7d`.",
    },
}
