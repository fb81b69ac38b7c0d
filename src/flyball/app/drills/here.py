"""Which faults can be made on a service that runs, and what each takes from its clients. Pure.

What a drill strikes there are rows of its own, in its own range of keys. So the release that answers is named in the
word, and the key's column where it is a text; where it is none, nobody could tell the drill's rows from others, and a
share of all rows is struck: that is said before anybody agrees.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from flyball.core.declared.drills import CANDIDATE
from flyball.core.drill_lease import DrillLease
from flyball.core.record import Record
from flyball.core.service import Service
from flyball.core.undrillable import slow_ms, undrillable

STRUCK = ("latency", "upstream_stall", "memory_leak", CANDIDATE)  # what the gateway makes of answers
LEAKS = 40  # rows after which a process has leaked all that it may hold
MORE = 1.25  # of what a process may hold: the bound of the last of several workers is a fifth higher


class Here(Record):
    """A service that runs."""

    service: Service
    column: str  # its key, where that is a text; else empty
    workers: int  # processes that answer now
    free_mb: float  # memory that the machine could give
    keys: bool  # the gateway asks for keys
    database: bool  # the ledger stands in a database


def why_not(here: Here) -> dict[str, str]:
    """Fault -> why it cannot be made here, in words; what is not named can be."""
    found = undrillable(here.service)
    found.pop("crash_loop", None)  # how many answer is seen, not declared: the largest `workers` of an up holds
    if here.workers < 2:
        found["crash_loop"] = f"{_processes(here.workers)}: nobody would answer while it is killed"
    needed = here.workers * most_mb(here.service)
    if "memory_leak" not in found and needed > here.free_mb / 2:
        found["memory_leak"] = f"it may take {needed} MB, and the machine has {here.free_mb:.0f} MB"
    if not here.column:
        found[CANDIDATE] = "the key is no text: the drill's rows cannot be told from those of clients"
    if not here.keys:
        found["expired_key"] = "the gateway asks for no keys (flyball up --gateway)"
    if here.database:
        found["ledger_gone"] = "a ledger in a database is not the drill's to lock"
    return found


def costs(here: Here, share: float) -> Mapping[str, str]:
    """Fault -> what real clients may feel, beyond requests more."""
    beside = f"of all rows {share:.0%} are struck, real clients' too: the key is no text" if not here.column else ""
    return {
        "crash_loop": "what a killed worker has begun breaks off, of every service here",
        "memory_leak": "; ".join(filter(None, (beside, "workers make room for fresh ones"))),
        "disk_full": "what is answered meanwhile is missing in the prediction log for good",
        CANDIDATE: f"a copy of the champion answers {share:.2%} of the units",
        **({"latency": beside, "upstream_stall": beside} if beside else {}),
    }


def aimed(word: DrillLease, here: Here, release: str) -> DrillLease:
    """The word as it is written for a service that runs: whose answers, which rows, how much. `release`: the champion,
    or the candidate of the drill."""
    if word.fault not in STRUCK:
        return word
    leak = word.fault == "memory_leak"
    return replace(
        word,
        release=release,
        column=here.column,
        slow_s=slow_ms(here.service) / 1000.0 if word.fault == "latency" else 0.0,
        leak_mb=max(1, most_mb(here.service) // LEAKS) if leak else 0,
        most_mb=most_mb(here.service) if leak else 0,
    )


def most_mb(service: Service) -> int:
    """What one process may keep at most under a leak."""
    return int(MORE * (service.serving.recycle.memory_mb or 0.0))


def _processes(workers: int) -> str:
    return "one process answers" if workers == 1 else "no worker of the gateway is there"
