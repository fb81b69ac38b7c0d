"""The `drills` section of a service: what is drilled how often, so that what is overdue can be told."""

from flyball.core.declared.review import Period

CANDIDATE = "bad_candidate"  # the one in which a candidate of the drill is tried
FAULTS = (
    *("expired_key", "crash_loop", "memory_leak", "ledger_gone", "latency", "upstream_stall", "disk_full"),
    *(CANDIDATE, "schema_break", "nan_burst", "unit_change", "poisoned_labels", "region_moved"),
)
FALLBACK = "fallback"  # every link of the chain was tried, which the gateway does by itself (`serving.exercise`)
DRILLED = (FALLBACK, "disaster", *FAULTS)

Schedule = dict[str, Period]  # one of DRILLED -> how often
