"""What the keys of `policy` mean, for the schema and the reference page."""

DECIDED = {
    "Policy": {
        "exceptions": "The two-person exception for a failed gate.",
    },
    "Exceptions": {
        "longest_s": "Longest time from the request of an exception to its end; at most `7d`.",
    },
}
