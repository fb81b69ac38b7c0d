"""`gateway.yaml` as records: what one gateway asks of its clients, whichever services it serves.

Secrets stand in it by reference only, `env:NAME` or `file:PATH`; relative paths begin at the file's own folder.
Times are in seconds, sizes in bytes, shares in 0..1.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from flyball.core.declared.kinds import Positive, Seconds, Share
from flyball.core.record import Record

Size = Annotated[int, Meta(ge=1)]
# signatures with a public key only: with a shared secret in the list, a public key could be passed off as one
Algorithm = Literal["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"]


class Tls(Record):
    cert: str  # reference: the chain, PEM
    key: str  # reference: its private key, PEM
    client_ca: str | None = None  # reference: who signs clients' certificates, PEM; given: every client needs one
    minimum: Literal["1.2", "1.3"] = "1.2"


class Tokens(Record):
    jwks: str  # reference: public keys, a JWK set
    issuer: str  # `iss`
    audience: str  # `aud`
    algorithms: Annotated[tuple[Algorithm, ...], Meta(min_length=1)] = ("ES256", "RS256", "EdDSA")
    leeway_s: Seconds = 30.0  # clocks may differ by so much
    claim: str = "scope"  # where the scopes stand: `fraud:predict *:metrics`, or a list


class Auth(Record):
    keys: str | None = None  # reference: the key file that `flyball keys` writes
    jwt: Tokens | None = None
    off: bool = False  # said out loud: anybody may ask


class Limits(Record):
    rate_rps: Positive | None = None  # requests a second of one key or subject; None: no limit
    burst: Size = 100  # requests that may come at once
    body_bytes: Size = 16 * 1024 * 1024
    header_bytes: Size = 32 * 1024  # request line and headers together
    headers: Size = 100
    header_s: Positive = 10.0  # from a connection's first moment, or a request's first byte, to its last header
    body_s: Positive = 30.0  # from the last header to the end of the body
    idle_s: Positive = 5.0  # a connection that is kept open between requests
    connections: Size = 1_000


class Traces(Record):
    to: str  # OTLP over HTTP: where spans are posted, such as http://127.0.0.1:4318/v1/traces
    share: Share = 0.01  # of the requests whose caller has not decided
    headers: str | None = None  # reference: headers for the collector, `name=value` separated by commas


class Telemetry(Record):
    traces: Traces | None = None
    logs: Literal["text", "json"] = "text"  # form of the lines on standard error
    access_log: bool = False  # one line a request there


class GatewayFile(Record):
    apiVersion: Literal["flyball/v1"]
    kind: Literal["Gateway"]
    tls: Tls | None = None
    auth: Auth = field(default_factory=Auth)
    limits: Limits = field(default_factory=Limits)
    telemetry: Telemetry = field(default_factory=Telemetry)
