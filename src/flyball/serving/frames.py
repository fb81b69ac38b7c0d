"""What a gateway and an arm process say to each other: length-prefixed MessagePack, one message a batch."""

import contextlib
import struct
from typing import Any, overload

import msgspec

from flyball.core.prediction import Answer, Failure

LENGTH = struct.Struct("<I")


class Hello(msgspec.Struct, tag="hello"):
    """The arm has loaded its release and is warm."""

    release: str


class Question(msgspec.Struct, tag="question"):
    number: int
    rows: list[dict[str, Any]]
    until: float | None = None  # monotonic seconds of the machine; nobody waits for the answer after that


class Given(msgspec.Struct, tag="answer", omit_defaults=True):
    """One row's answer."""

    prediction: str | float | int | bool
    score: float | None = None
    scores: dict[str, float] | None = None
    fired: tuple[str, ...] = ()
    withheld: bool = False


class Failed(msgspec.Struct, tag="failure"):
    reason: str
    message: str


class Reply(msgspec.Struct, tag="reply"):
    number: int
    answers: list[Given | Failed]
    service_ms: float


class NoReply(msgspec.Struct, tag="no_reply"):
    """The predictor failed as a whole."""

    number: int
    reason: str
    message: str


Message = Hello | Question | Reply | NoReply
_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


def packed(message: Message) -> bytes:
    """Length and body.

    >>> unpacked(packed(Hello("sha256:ab"))[LENGTH.size:])
    Hello(release='sha256:ab')
    """
    try:
        body = _ENCODER.encode(message)
    except (OverflowError, RecursionError):
        if not isinstance(message, Question):
            raise
        body = _ENCODER.encode(Question(message.number, [_sendable(row) for row in message.rows]))
    return LENGTH.pack(len(body)) + body


def _sendable(row: dict[str, Any]) -> dict[str, Any]:
    """The row without what MessagePack cannot say: integers beyond 64 bits, and what lies too deep.

    No column that a model reads can hold such a value, the contract has seen to that; it is a further key that the
    client sent, and a release in this process would not have looked at it either.
    """
    sendable = {}
    for name, value in row.items():
        with contextlib.suppress(OverflowError, RecursionError):
            _ENCODER.encode(value)
            sendable[name] = value
    return sendable


def unpacked(body: bytes) -> Message:
    """Raises: msgspec.DecodeError: not a message."""
    return _DECODER.decode(body)


def given(answer: Answer | Failure) -> Given | Failed:
    if isinstance(answer, Failure):
        return Failed(answer.reason, answer.message)
    return Given(answer.prediction, answer.score, answer.scores, answer.fired, answer.withheld)


@overload
def taken(answer: Failed) -> Failure: ...
@overload
def taken(answer: Given | Failed) -> Answer | Failure: ...
def taken(answer: Given | Failed) -> Answer | Failure:
    if isinstance(answer, Failed):
        return msgspec.convert({"reason": answer.reason, "message": answer.message}, Failure)
    if not answer.fired and not answer.withheld:
        return Answer(prediction=answer.prediction, score=answer.score, scores=answer.scores)
    return msgspec.convert(msgspec.structs.asdict(answer), Answer)
