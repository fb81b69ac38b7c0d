"""The digest of a service's policy: what an approval is bound to, beside model and evidence."""

import msgspec

from flyball.core.codec import digest
from flyball.core.ids import Digest
from flyball.core.service import Service


def policy_digest(service: Service) -> Digest:
    """Digest of the gates, rollout, monitor, retrain and autonomy sections; a change voids approvals."""
    return digest(
        "flyball/policy/v1",
        {
            "gates": msgspec.to_builtins(service.gates),
            "rollout": msgspec.to_builtins(service.rollout),
            "monitor": msgspec.to_builtins(service.monitor),
            "retrain": msgspec.to_builtins(service.retrain),
            "autonomy": msgspec.to_builtins(service.autonomy),
        },
    )
