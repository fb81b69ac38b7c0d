"""What a gateway and an arm process say to each other: length-prefixed MessagePack, one message a batch."""

import struct
from typing import Any

import msgspec

from flyball.core.prediction import Answer, Failure

LENGTH = struct.Struct("<I")


class Hello(msgspec.Struct, tag="hello"):
    """The arm has loaded its release and is warm."""

    release: str


class Question(msgspec.Struct, tag="question"):
    number: int
    rows: list[dict[str, Any]]


class Given(msgspec.Struct, tag="answer", omit_defaults=True):
    """One row's answer."""

    prediction: str | float | int | bool
    score: float | None = None
    scores: dict[str, float] | None = None


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
    body = _ENCODER.encode(message)
    return LENGTH.pack(len(body)) + body


def unpacked(body: bytes) -> Message:
    """Raises: msgspec.DecodeError: not a message."""
    return _DECODER.decode(body)


def given(answer: Answer | Failure) -> Given | Failed:
    if isinstance(answer, Failure):
        return Failed(answer.reason, answer.message)
    return Given(answer.prediction, answer.score, answer.scores)


def taken(answer: Given | Failed) -> Answer | Failure:
    if isinstance(answer, Failed):
        return msgspec.convert({"reason": answer.reason, "message": answer.message}, Failure)
    return Answer(prediction=answer.prediction, score=answer.score, scores=answer.scores)
