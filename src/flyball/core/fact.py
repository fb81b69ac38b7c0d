"""What every fact on the ledger has."""

from typing import Literal

from flyball.core.ids import ServiceName
from flyball.core.record import Record

Reason = Literal[  # why a training was begun
    "first", "drift", "risk", "trend", "new_data", "commit", "webhook", "schedule", "manual"
]
Proof = Literal["os_user", "token", "simulated", "policy"]


class Fact(Record, tag_field="type"):
    """Base of all facts. `service` is the subject of the ledger entry."""

    service: ServiceName
