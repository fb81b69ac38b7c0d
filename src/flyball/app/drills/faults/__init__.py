"""All faults there are, in the order in which `flyball drill all` makes them: what leaves least behind first."""

from flyball.app.drills.fault import DrillFault
from flyball.app.drills.faults import (
    bad_candidate,
    crash_loop,
    disk_full,
    expired_key,
    latency,
    ledger_gone,
    memory_leak,
    nan_burst,
    poisoned_labels,
    region_moved,
    schema_break,
    unit_change,
    upstream_stall,
)

FAULTS: dict[str, DrillFault] = {
    each.FAULT.name: each.FAULT
    for each in (
        expired_key,
        crash_loop,
        memory_leak,
        ledger_gone,
        latency,
        upstream_stall,
        disk_full,
        bad_candidate,
        schema_break,
        nan_burst,
        unit_change,
        poisoned_labels,
        region_moved,
    )
}
