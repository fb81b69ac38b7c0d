"""`gateway.yaml` as a record: every fault at once, and no value that may be a secret in any of them."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from flyball.contracts.durations import resolved
from flyball.contracts.schema_faults import faults
from flyball.contracts.yaml_text import Document, Path, read, refusal
from flyball.core.declared.gateway_file import GatewayFile
from flyball.core.errors import Fault

# each may hold a secret, so each is a reference and none is ever shown
REFERENCES: tuple[Path, ...] = (
    ("tls", "cert"),
    ("tls", "key"),
    ("tls", "client_ca"),
    ("auth", "keys"),
    ("auth", "jwt", "jwks"),
    ("telemetry", "traces", "headers"),
)
_TO_FILES_ONLY = REFERENCES[:3]  # OpenSSL reads certificates from files
_REFERENCE = re.compile(r"(env:[A-Za-z_][A-Za-z0-9_]*|file:\S.*)\Z")
_HIDDEN = "a value that is not shown"


def parse(text: str, *, file: str = "gateway.yaml") -> GatewayFile:
    """The declaration that a text makes, durations in seconds and every default written out.

    Raises: BadInput with all faults. A secret that was written into the file is one, and is not repeated.
    """
    document = read(text, file=file)
    if document.data is None or document.faults:
        raise refusal(file, document.faults or [document.fault((), "a mapping", "nothing")])
    data = resolved(document.data)
    structure = faults(document, data, msgspec.json.schema(GatewayFile))
    found = [_discreet(path, fault) for path, fault in structure]
    if isinstance(data, dict):
        blamed = {path for path, _ in structure}
        found += [fault for path, fault in _senseless(document, data) if path not in blamed]
    if found:
        raise refusal(file, found)
    return msgspec.convert(data, GatewayFile)


def _discreet(path: Path, fault: Fault) -> Fault:
    """What somebody wrote under these sections may be a password in the wrong place."""
    if fault.found in ("nothing", "an unknown key") or path[:1] not in (("tls",), ("auth",), ("telemetry",)):
        return fault
    return msgspec.structs.replace(fault, found=_HIDDEN)


def _senseless(document: Document, data: dict[str, Any]) -> Iterator[tuple[Path, Fault]]:
    for path in REFERENCES:
        value = _at(data, path)
        if value is None:
            continue
        if not isinstance(value, str) or not _REFERENCE.match(value):
            expected, fix = "env:NAME or file:PATH", "secrets are named here, never written down"
            yield path, document.fault(path, expected, _HIDDEN, fix)
        elif path in _TO_FILES_ONLY and not value.startswith("file:"):
            yield path, document.fault(path, "file:PATH", "a variable", "certificates are read from files")
    auth = data.get("auth")
    if not isinstance(auth, dict):
        return
    ways = [name for name in ("keys", "jwt") if auth.get(name) is not None]
    if auth.get("off") is True and ways:
        yield ("auth", "off"), document.fault(("auth", "off"), f"false beside {' and '.join(ways)}", "true")
    if not ways and auth.get("off") is not True:
        yield ("auth",), document.fault(("auth",), "keys, jwt, or `off: true`", "none of them")


def _at(data: Any, path: Path) -> Any:
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data
