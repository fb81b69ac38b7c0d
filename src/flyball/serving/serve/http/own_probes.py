"""The answer to a probe of the home itself: whether the champion answered, and what."""

import msgspec

from flyball.core.prediction import Answer, Failure
from flyball.serving.serve.http.exchange import Send, send_error, send_json


async def send_probed(send: Send, answer: Answer | Failure) -> None:
    """503 where the champion gave no valid answer of its own, though clients may get one of its stand-ins."""
    if isinstance(answer, Failure):
        await send_error(send, 503, f"the champion failed ({answer.reason})")
    else:
        await send_json(send, 200, msgspec.json.encode({"probe": {"prediction": answer.prediction}}))
