"""The digest of a service's policy: what an approval is bound to, beside model and evidence."""

import msgspec

from flyball.core.codec import digest
from flyball.core.ids import Digest
from flyball.core.service import Policy, Service


def policy_digest(service: Service) -> Digest:
    """Digest of the gates, rollout, monitor, retrain, autonomy and policy sections; a change voids approvals.

    A service without a `policy` of its own has the digest that it had before there were any.
    """
    sections = {
        "gates": msgspec.to_builtins(service.gates),
        "rollout": msgspec.to_builtins(service.rollout),
        "monitor": msgspec.to_builtins(service.monitor),
        "retrain": msgspec.to_builtins(service.retrain),
        "autonomy": msgspec.to_builtins(service.autonomy),
    }
    if service.policy != Policy():
        sections["policy"] = msgspec.to_builtins(service.policy)
    return digest("flyball/policy/v1", sections)
