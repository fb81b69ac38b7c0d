"""The digest of a service's policy: what an approval is bound to, beside model and evidence."""

from collections.abc import Mapping
from typing import Any

import msgspec

from flyball.core.codec import digest
from flyball.core.ids import Digest
from flyball.core.promised import objectives_of
from flyball.core.service import Service

SECTIONS = ("gates", "rollout", "monitor", "retrain", "autonomy", "policy", "incidents", "healing")


def policy_digest(service: Service) -> Digest:
    """Digest of the gates, rollout, monitor, retrain, autonomy, policy, incidents and healing sections, and of the
    objectives where `slo` is declared; a change voids approvals.

    What stands at its default is not in it: a version that knows a key more changes no policy that does not use it. A
    version in which a default means something else has to count the name of the digest up.
    """
    sections = {name: changed(getattr(service, name)) for name in SECTIONS}
    if service.slo is not None:  # the objectives of the serving contract decide with it too; where pages are does not
        slo = service.slo
        sections["slo"] = {
            "objectives": [msgspec.to_builtins(each) for each in objectives_of(service)],
            **{name: getattr(slo, name) for name in ("freeze", "min_events", "low_traffic_errors")},
        }
    return digest("flyball/policy/v2", {name: section for name, section in sections.items() if section})


def declaration_digest(declaration: Mapping[str, Any]) -> Digest:
    """Digest of a whole declaration, as plain values: another one asks for no approval anew, but a controller that
    runs has to read it."""
    return digest("flyball/declaration/v1", declaration)


def changed(value: Any) -> Any:
    """A record as plain values, without the fields that have their default; of lists and mappings each value so.

    >>> from flyball.core.service import Canary, Step
    >>> changed((Step(canary=Canary(weight=0.1, min_s=5.0)),))
    [{'canary': {'weight': 0.1}}]
    """
    match value:
        case msgspec.Struct():
            fields = [(each.encode_name, getattr(value, each.name), _default(each)) for each in _fields(value)]
            return {name: changed(found) for name, found, default in fields if found != default}
        case Mapping():
            return {str(key): changed(found) for key, found in value.items()}
        case tuple() | list():
            return [changed(each) for each in value]
        case _:
            return msgspec.to_builtins(value)


def _fields(value: msgspec.Struct) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(type(value))


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default
