"""A verdict as an in-toto statement in a DSSE envelope, so that other tools can check who said what of which bytes.

Sources: in-toto Statement v1 with the predicate test-result v0.1; DSSE protocol, pre-authentication encoding.
"""

from base64 import b64decode, b64encode
from typing import Any

from flyball.core.codec import canonical

PAYLOAD_TYPE = "application/vnd.in-toto+json"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
_RESULTS = {"IDENTICAL": "PASSED", "EQUIVALENT": "WARNED", "DIVERGED": "FAILED", "BLOCKED": "FAILED"}


def reproduction_statement(
    *, service: str, release: str | None, experiment: str, verdict: str, first_difference: str | None
) -> dict[str, Any]:
    """The verdict on a reproduction: subject is the release, or the experiment where it has none."""
    subject, algorithm = (release, "mth-sha256") if release is not None else (experiment, "fx1-sha256")
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": service, "digest": {algorithm: subject.rsplit(":", 1)[-1]}}],
        "predicateType": TEST_RESULT,
        "predicate": {
            "result": _RESULTS[verdict],
            "configuration": [{"name": "experiment", "digest": {"fx1-sha256": experiment.rsplit(":", 1)[-1]}}],
            "verdict": verdict,
            "first_difference": first_difference,
        },
    }


def to_sign(statement: dict[str, Any]) -> bytes:
    """The bytes that a signature is over (DSSE: `DSSEv1 len type len payload`).

    >>> to_sign({})
    b'DSSEv1 28 application/vnd.in-toto+json 2 {}'
    """
    payload = canonical(statement)
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def envelope(statement: dict[str, Any], signature: bytes, key_id: bytes) -> dict[str, Any]:
    """Statement and signature as one document."""
    return {
        "payloadType": PAYLOAD_TYPE,
        "payload": b64encode(canonical(statement)).decode(),
        "signatures": [{"keyid": key_id.hex(), "sig": b64encode(signature).decode()}],
    }


def opened(sealed: dict[str, Any]) -> tuple[bytes, bytes]:
    """(bytes that were signed, signature) of an envelope, for whoever verifies it."""
    payload, kind = b64decode(sealed["payload"]), str(sealed["payloadType"]).encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload), b64decode(sealed["signatures"][0]["sig"])
