"""Tokens of real keys: what a good one allows, and every way in which one is not good."""

import hmac
import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from flyball.adapters.jwt_tokens import TokenVerifier, key_set
from flyball.core.access import Denied, Grant
from flyball.core.declared.gateway_file import Tokens
from flyball.core.errors import BadInput

NOW = 1_800_000_000.0
DECLARED = Tokens(jwks="file:jwks.json", issuer="https://id.example", audience="flyball")
EC, RSA = ECKey.generate_key("P-256", {"kid": "ec"}), RSAKey.generate_key(2048, {"kid": "rsa"})
CLAIMS: dict[str, Any] = {
    "iss": "https://id.example",
    "aud": "flyball",
    "sub": "ann@example.com",
    "exp": NOW + 60,
    "scope": "openid fraud:predict *:metrics fraud:everything",
}


def jwks(*keys: ECKey | RSAKey) -> bytes:
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


def confused(public: bytes, kid: str) -> str:
    """Signed by HMAC, with a text that everybody has as the secret."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "kid": kid}, CLAIMS)]
    signed = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    return (signed + b"." + urlsafe_b64encode(hmac.digest(public, signed, "sha256")).rstrip(b"=")).decode()


VERIFIER = TokenVerifier(DECLARED, key_set(jwks(EC, RSA), "file:jwks.json"))


def token(key: Any = EC, alg: str = "ES256", kid: str | None = "ec", **changes: Any) -> str:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return jwt.encode({"alg": alg} | ({"kid": kid} if kid else {}), claims, key, algorithms=[alg])


def test_a_good_token_grants_its_scopes_under_a_subject_that_is_fit_for_logs() -> None:
    found = VERIFIER.granted(token(), now=NOW)
    assert isinstance(found, Grant)
    assert found.scopes == {"fraud:predict", "*:metrics"}
    assert "ann" not in found.subject
    assert found.expires == NOW + 90
    assert isinstance(VERIFIER.granted(token(RSA, "RS256", "rsa", aud=["other", "flyball"]), now=NOW), Grant)
    assert isinstance(VERIFIER.granted(token(scope=["fraud:predict"]), now=NOW), Grant)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW - 31},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": NOW + 31},
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"sub": None},
        {"kid": "unknown"},
        {"kid": "rsa"},
        {"kid": None},
    ],
    ids=str,
)
def test_a_claim_that_is_wrong_or_missing_is_refused(changes: dict[str, Any]) -> None:
    assert isinstance(VERIFIER.granted(token(**changes), now=NOW), Denied)


def test_leeway_holds_on_both_sides() -> None:
    assert isinstance(VERIFIER.granted(token(exp=NOW - 29), now=NOW), Grant)
    assert isinstance(VERIFIER.granted(token(nbf=NOW + 29), now=NOW), Grant)


def test_another_algorithm_than_those_declared_is_refused_though_its_signature_is_right() -> None:
    assert isinstance(VERIFIER.granted(token(RSA, "RS512", "rsa"), now=NOW), Denied)


def test_a_public_key_is_never_taken_for_a_shared_secret() -> None:
    for kid in ("rsa", "ec"):
        assert isinstance(VERIFIER.granted(confused(RSA.as_pem(private=False), kid), now=NOW), Denied)


@settings(max_examples=50)
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_made_up_text_is_a_token_or_an_error(head: str, body: str, tail: str) -> None:
    for text in (head, f"{head}.{body}.{tail}", token()[:-1] + head + "x", f"..{tail}"):
        assert isinstance(VERIFIER.granted(text, now=NOW), Denied)


def test_a_deeply_nested_header_is_refused() -> None:
    deep = urlsafe_b64encode(b"[" * 6_000).rstrip(b"=").decode()
    assert isinstance(VERIFIER.granted(f"{deep}.e30.AA", now=NOW), Denied)
    assert isinstance(VERIFIER.granted("a" * 100_000, now=NOW), Denied)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"keys": []}',
        json.dumps({"keys": [{"kty": "oct", "k": "aHVudGVyMg", "kid": "x"}]}).encode(),
        json.dumps({"keys": [EC.as_dict(private=True)]}).encode(),
        json.dumps({"keys": [EC.as_dict(private=False) | {"kid": ""}, RSA.as_dict(private=False)]}).encode(),
        b"\xff",
    ],
)
def test_a_key_set_holds_public_keys_with_names_and_nothing_else(data: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        key_set(data, "file:jwks.json")
    assert "aHVudGVyMg" not in str(refused.value)
    private = EC.as_dict(private=True)["d"]
    assert str(private) not in str(refused.value)
