"""Who asks, and what they may: grants, scopes, and the one answer that a refusal gets."""

from typing import Literal

from flyball.core.record import Record

AccessScope = Literal["predict", "labels", "metrics", "verdict", "admin"]
SCOPES: tuple[AccessScope, ...] = ("predict", "labels", "metrics", "verdict", "admin")
EVERY = "*"  # in the place of a service: all of the gateway


class Grant(Record):
    """What a key or a token allows. No scope implies another."""

    subject: str  # id of the key, or a hash of the token's `sub`: fit for logs, never the secret
    scopes: frozenset[str]  # `service:scope`, `*:scope`
    rate_rps: float | None = None  # requests a second; None: the gateway's limit
    expires: float | None = None  # seconds since the epoch; None: never
    person: str = ""  # whose word it is, for the ledger alone: id of the key, or `sub` of the token as it is

    def allows(self, service: str, scope: AccessScope) -> bool:
        """Whether this scope is granted on this service.

        >>> grant = Grant(subject="key-1", scopes=frozenset({"fraud:predict", "*:metrics"}))
        >>> grant.allows("fraud", "predict"), grant.allows("churn", "predict"), grant.allows("churn", "metrics")
        (True, False, True)
        """
        return f"{service}:{scope}" in self.scopes or f"{EVERY}:{scope}" in self.scopes

    def anywhere(self, scope: AccessScope) -> bool:
        """Whether it is granted on at least one service.

        >>> Grant(subject="key-1", scopes=frozenset({"fraud:labels"})).anywhere("labels")
        True
        """
        return any(one.endswith(f":{scope}") for one in self.scopes)


# why a request was refused before anything was asked: none were sent, nobody knows them or their secret is another,
# they have run out, a token that is none, valid ones without the scope, too many requests
RefusalKind = Literal["missing", "unknown", "expired", "token", "scope", "rate"]


class Denied(Record):
    """Credentials that are none. `reason` is for the operator's log; the client learns only that they are not valid."""

    reason: str
    kind: RefusalKind
    key: str = ""  # `key-ID` of a key in the key file that was really shown; never what a stranger sent
