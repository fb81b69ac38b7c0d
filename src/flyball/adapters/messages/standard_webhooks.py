"""Signatures on messages to the outside, as Standard Webhooks 1.0 asks: HMAC-SHA256 over id, time and body."""

import base64
import binascii
import hashlib
import hmac

from flyball.core.errors import BadInput, Fault

PREFIX = "whsec_"


def headers(secret: str, *, id_: str, at: int, body: bytes) -> dict[str, str]:
    """The three headers. `at`: of this attempt, seconds since the epoch; the id stays the same through all attempts.

    Raises: BadInput: the secret is none of Standard Webhooks.

    >>> made = headers("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", id_="msg_p5jXN8AQM9LWM0D4loKWxJek",
    ...     at=1614265330, body=b'{"test": 2432232314}')
    >>> made["webhook-signature"]
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    key = key_of(secret)
    signed = hmac.new(key, f"{id_}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }


def key_of(secret: str) -> bytes:
    """Raises: BadInput: not `whsec_` and base64 of 24 to 64 bytes. The secret is never part of the message."""
    try:
        if secret.startswith(PREFIX):
            key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
            if 24 <= len(key) <= 64:
                return key
    except binascii.Error as error:
        raise _no_secret() from error
    raise _no_secret()


def _no_secret() -> BadInput:
    fault = Fault(
        where="environment",
        path="the variable that `events[].secret` names",
        expected="`whsec_` and base64 of 24 to 64 random bytes",
        found="another text",
    )
    return BadInput("This is no secret of Standard Webhooks.", (fault,))
