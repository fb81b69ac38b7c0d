"""`gateway.yaml`: all faults at once, secrets by reference only, and none of them ever shown."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyball.contracts.declaration.gateway_file import REFERENCES, parse
from flyball.core.declared.gateway_file import Auth, GatewayFile, Limits, Telemetry, Tls, Tokens, Traces
from flyball.core.errors import BadInput

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "gateway-yaml.md"
HEAD = "apiVersion: flyball/v1\nkind: Gateway\n"
WHOLE = f"""{HEAD}
tls: {{cert: "file:tls.crt", key: "file:tls.key", client_ca: "file:clients.pem", minimum: "1.3"}}
auth:
  keys: file:keys.json
  jwt: {{jwks: "env:JWKS", issuer: https://id.example, audience: flyball, leeway_s: 1m}}
limits: {{rate_rps: 50, burst: 10, body_s: 5}}
telemetry: {{traces: {{to: "http://127.0.0.1:4318/v1/traces", share: 0.1}}, access_log: true}}
"""


def faults(text: str) -> list[str]:
    with pytest.raises(BadInput) as refused:
        parse(text)
    return [str(fault) for fault in refused.value.faults]


def test_a_whole_file_is_read_with_its_durations_and_defaults() -> None:
    found = parse(WHOLE)
    assert found.auth.jwt is not None
    assert (found.auth.jwt.leeway_s, found.auth.jwt.algorithms) == (60.0, ("ES256", "RS256", "EdDSA"))
    assert (found.limits.body_s, found.limits.header_s) == (5.0, 10.0)
    assert parse(HEAD).auth == Auth()


def test_all_faults_are_told_at_once() -> None:
    text = f"""{HEAD}
auth: {{keys: hunter2, jwt: {{jwks: swordfish, audience: x}}}}
limits: {{burst: 0, brust: 1}}
tls: {{key: abc}}
"""
    told = faults(text)
    assert {line.split(": ")[1] for line in told} == {
        "auth.keys",
        "auth.jwt.jwks",
        "auth.jwt.issuer",
        "limits.burst",
        "limits.brust",
        "tls.key",
        "tls.cert",
    }
    assert not re.search("hunter2|swordfish|abc", " ".join(told))


@pytest.mark.parametrize("path", REFERENCES, ids=".".join)
@settings(max_examples=12)
@given(secret=st.text("abcdefgh0123456789!$", min_size=8, max_size=30))
def test_a_secret_that_was_written_down_is_a_fault_that_does_not_repeat_it(path: tuple[str, ...], secret: str) -> None:
    document: Any = secret
    for part in reversed(path):
        document = {part: document}
    text = HEAD + json.dumps(document)[1:-1] + "\n"
    told = " ".join(faults(text))
    assert "env:NAME or file:PATH" in told
    assert secret not in told


@pytest.mark.parametrize(
    "section", ["auth: hunter2xyz", "auth: [hunter2xyz]", "tls: hunter2xyz", "auth: {jwt: hunter2xyz}"]
)
def test_a_section_that_is_a_secret_is_not_repeated_either(section: str) -> None:
    assert "hunter2xyz" not in " ".join(faults(HEAD + section + "\n"))


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("auth: {}", "keys, jwt, or"),
        ("auth: {off: true, keys: 'file:k'}", "false beside keys"),
        ("tls: {cert: 'env:CERT', key: 'file:k'}", "file:PATH"),
        ("auth: {jwt: {jwks: 'file:j', issuer: i, audience: a, algorithms: [HS256]}}", "one of"),
        ("auth: {jwt: {jwks: 'file:j', issuer: i, audience: a, algorithms: [none]}}", "one of"),
        ("auth: {jwt: {jwks: 'file:j', issuer: i, audience: a, algorithms: []}}", "list"),
    ],
)
def test_what_makes_no_sense_is_a_fault(section: str, words: str) -> None:
    assert words in " ".join(faults(HEAD + section + "\n"))


@pytest.mark.parametrize("record", [GatewayFile, Auth, Limits, Telemetry, Tls, Tokens, Traces])
def test_the_reference_names_every_key_of_the_file(record: type[msgspec.Struct]) -> None:
    named = set(re.findall(r"^\| `([a-z_A-Z]+)`", PAGE.read_text(), flags=re.MULTILINE))
    assert {field.name for field in msgspec.structs.fields(record)} <= named
