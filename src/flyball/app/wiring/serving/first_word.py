"""The first document that a gateway prints for its parent: that it answers, or why it does not."""

import msgspec

from flyball.core.errors import BadInput, Fault, FlyballError, Refused, Unavailable


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """It answers."""

    url: str
    services: tuple[str, ...]


class _Cause(msgspec.Struct, frozen=True, kw_only=True):
    """The document of an error (`docs/reference/exit-codes.md`)."""

    message: str
    faults: tuple[Fault, ...] = ()
    hint: str = ""


class NotUp(msgspec.Struct, frozen=True, kw_only=True):
    """It ends."""

    cause: _Cause = msgspec.field(name="error")

    def error(self, exit_code: int) -> FlyballError:
        """The same error in this process, to be raised. `exit_code`: what the gateway ended with.

        >>> lost = NotUp(cause=_Cause(message="cannot listen on ::1:8080", hint="choose another --port"))
        >>> error = lost.error(3)
        >>> type(error).__name__, str(error), error.hint, error.exit_code
        ('Unavailable', 'cannot listen on ::1:8080', 'choose another --port', 3)
        """
        message, hint = self.cause.message, self.cause.hint
        if exit_code == BadInput.exit_code:
            return BadInput(message, self.cause.faults, hint=hint)
        kind = Refused if exit_code == Refused.exit_code else Unavailable
        return kind(message, hint=hint)


def first_word(text: bytes) -> Told | NotUp | None:
    """What the text says, once all lines of the document are there; None before.

    >>> first_word(b'{"url": "http://127.0.0.1:8080", "services": ["fraud"], "grpc": "127.0.0.1:8081"}').services
    ('fraud',)
    >>> first_word(b'{"error": {"message": "no", "faults": [{}\\n')
    >>> first_word(b'{"error": {"message": "no", "faults": [], "hint": ""}}').error(1)
    Refused('no')

    Raises: Unavailable: a document, and neither of the two.
    """
    try:
        document = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    try:
        return msgspec.convert(document, NotUp) if "error" in document else msgspec.convert(document, Told)
    except (msgspec.ValidationError, TypeError) as error:
        raise Unavailable(f"the gateway says neither that it answers nor why not: {error}") from error
