"""JSON Web Tokens of a JWK set, by joserfc: signature, algorithm, issuer, audience and times, each checked here."""

from collections.abc import Sequence
from hashlib import blake2b

import msgspec
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import KeySet

from flyball.core.access import SCOPES, Denied, Grant, RefusalKind
from flyball.core.declared.gateway_file import Tokens
from flyball.core.errors import BadInput, Fault

MAX_TOKEN_CHARACTERS = 8_192


class TokenVerifier:
    """The tokens that one set of public keys signs for us."""

    def __init__(self, declared: Tokens, keys: KeySet) -> None:
        self._declared, self._keys = declared, keys

    def granted(self, text: str, *, now: float) -> Grant | Denied:
        """What a token allows at `now`, seconds since the epoch. A reason names no part of the token."""
        if len(text) > MAX_TOKEN_CHARACTERS:
            return Denied(reason="the token is too long", kind="token")
        declared = self._declared
        try:
            token = jwt.decode(text, self._keys, algorithms=list(declared.algorithms))
            registry = jwt.JWTClaimsRegistry(
                now=int(now),
                leeway=int(declared.leeway_s),
                iss={"essential": True, "value": declared.issuer},
                aud={"essential": True, "value": declared.audience},
                exp={"essential": True},
                sub={"essential": True},
            )
            registry.validate(token.claims)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            kind: RefusalKind = "expired" if isinstance(error, ExpiredTokenError) else "token"
            return Denied(reason=f"token: {type(error).__name__}", kind=kind)
        # a subject may be somebody's address: what goes into logs and limits is its hash
        subject = "sub-" + blake2b(str(token.claims["sub"]).encode(), digest_size=6).hexdigest()
        return Grant(
            subject=subject,
            scopes=_scopes(token.claims.get(declared.claim)),
            expires=float(token.claims["exp"]) + declared.leeway_s,
            person=str(token.claims["sub"]),
        )


def key_set(data: bytes, where: str) -> KeySet:
    """Public keys with names. Raises: BadInput: no JWK set, or one that holds a shared secret or a private key."""
    faults: list[Fault] = []
    try:
        document = msgspec.json.decode(data, type=dict[str, list[dict[str, object]]])
        for place, key in enumerate(document["keys"]):
            if key.get("kty") not in ("RSA", "EC", "OKP") or "d" in key:
                found = "a secret" if key.get("kty") == "oct" or "d" in key else "another kind"
                faults.append(_fault(where, f"keys[{place}]", "a public key (RSA, EC, OKP)", found))
            if len(document["keys"]) > 1 and not key.get("kid"):
                faults.append(_fault(where, f"keys[{place}].kid", "a name, as there are several keys", "none"))
        if not faults:
            return KeySet.import_key_set({"keys": document["keys"]})  # type: ignore[typeddict-item]
    except (msgspec.DecodeError, UnicodeDecodeError, JoseError, KeyError, ValueError, TypeError) as error:
        faults.append(_fault(where, "$", "a JWK set", f"something else ({type(error).__name__})"))
        raise BadInput(f"{where} is no JWK set.", tuple(faults)) from error
    raise BadInput(f"{where} is no JWK set of public keys.", tuple(faults))


def _scopes(claim: object) -> frozenset[str]:
    """Those of the claim that are ours; a token may say other things to other receivers."""
    words: Sequence[object] = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else ()
    return frozenset(word for word in words if isinstance(word, str) and word.rpartition(":")[2] in SCOPES)


def _fault(where: str, path: str, expected: str, found: str) -> Fault:
    return Fault(where=where, path=path, expected=expected, found=found)
