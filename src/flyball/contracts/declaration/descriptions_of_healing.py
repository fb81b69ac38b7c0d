"""What the keys of `healing` mean, for the schema and the reference page."""

HEALED = {
    "Healing": {
        "policies": "What is done about which cause, in which order; the first policy that fits holds. Empty: nothing.",
        "hold_s": "How long a cause has to be gone before a relief ends; doubled each time it has come back that day.",
        "most_hold_s": "Never longer than this.",
        "again_s": "A cause that is back within this is the same bout: what did not help in it is not tried again.",
        "incidents_per_day": "So many incidents of one cause in 24 hours, and the way back is the first remedy.",
        "longest_s": "A gateway that no controller visits ends a relief by itself after this.",
    },
    "HealingPolicy": {
        "cause": "`errors`; `drift` also means `drift/amount`; `failed`: whatever made the service FAILED.",
        "remedies": "In this order; each is verified before the next. After the last a person is paged.",
        "least": "How grave the sign has to be.",
        "when": "CEL over the facts of the policy, `health`, `severity`, `incidents_today`, `remedies_today`; "
        "what cannot be told counts as no. Null: always.",
    },
    "DeclaredRemedy": {
        "kind": "What is done.",
        "verify_s": "The cause is gone within this, or the next remedy follows; null: by its kind.",
        "per_day": "Times in any 24 hours, whatever the cause; after that a person is paged, and nothing else.",
        "share": "shed: share of the requests of low priority that is turned away.",
    },
}
