"""What the keys of `slo` mean, for the schema and the reference page."""

PROMISED = {
    "Slo": {
        "window_s": "Rolling window of each objective that says no other.",
        "freeze": "Whether a spent budget freezes promotions; never the way back.",
        "min_events": "Events an hour; below them shares say nothing, and errors are counted instead.",
        "low_traffic_errors": "Bad events in six hours that page where there is so little traffic.",
        "files": "OpenSLO v1 files with further objectives of this service, relative to this file.",
        "runbooks_url": "Moved: it is `alerts.runbooks_url` now, and a fault here.",
        "dashboard_url": "A dashboard that alerts link to.",
        "objectives": "Beside those of `serving.objectives`, or in place of them by name or kind.",
    },
    "Objective": {
        "name": "Its name in facts, rules and alerts.",
        "sli": "Which events are good: answered, in time, accepted, fresh, judged right, or by queries.",
        "target": "Share of good events.",
        "window_s": "Rolling window; null: that of the section.",
        "limit_ms": "latency: a longer stay in the gateway is bad; null: `serving.objectives.latency_p99_ms`.",
        "max_age_s": "freshness: a row whose `data.timestamp` is older when it comes is bad.",
        "good": "query: PromQL of a counter of good events; its own budget is unknown to Flyball.",
        "bad": "query: or of bad ones.",
        "total": "query: PromQL of a counter of all events.",
        "method": "Events one by one, or time slices that are good or bad as a whole, or in part.",
        "slice_s": "Time slices: the length of one.",
        "slice_target": "Timeslices: share of good events that makes a slice good.",
        "urgency": "Of its alerts at most.",
        "freeze": "Whether its spent budget freezes promotions; null: as the section says, but never for quality.",
        "description": "In words.",
    },
}
