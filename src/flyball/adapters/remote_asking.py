"""A release whose model is elsewhere, asked many questions at once: `core.prediction.Asking`."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from flyball.adapters.models.predictor import FolderPredictor
from flyball.adapters.oip_client import Refused
from flyball.adapters.remote_model import RemoteModel
from flyball.core.errors import Unavailable
from flyball.core.frames import frame
from flyball.core.model import answers, judged
from flyball.core.prediction import Answer, ArmReply, Failure


def asking(predictor: object) -> "RemoteAsking | None":
    """The predictor as one that can be asked many things at once; None: its model is in this process.

    >>> asking(object())
    """
    if isinstance(predictor, FolderPredictor) and isinstance(predictor.model.estimator, RemoteModel):
        return RemoteAsking(predictor, predictor.model.estimator)
    return None


class RemoteAsking:
    """Features, tensors and answers are made here, in the event loop of whoever asks; the numbers come from there."""

    def __init__(self, predictor: FolderPredictor, model: RemoteModel) -> None:
        from flyball.adapters.oip_pool import Pool  # aiohttp is for those who have something to ask elsewhere

        self._predictor, self._model = predictor, model
        self._pool = Pool(model.endpoint)

    @property
    def blocking(self) -> FolderPredictor:
        """The same, asked one question after the other."""
        return self._predictor

    @property
    def release(self) -> str:
        return self._predictor.release

    @property
    def once(self) -> bool:
        return self._predictor.once

    @property
    def connections(self) -> int:
        return self._model.endpoint.connections

    async def answer(self, rows: Sequence[dict[str, Any]], seconds: float) -> ArmReply | Failure:
        """Where the server refuses several rows, or features() cannot make them, each is asked alone; a row that may be
        asked once fails with its neighbours."""
        if not rows:
            return ArmReply(answers=(), service_ms=0.0)
        started = time.perf_counter()
        try:
            found = await self._together(rows, seconds)
        except Exception as error:  # nobody answered, or refused; the code of the service, an answer of another shape
            # where nobody answered, nobody would answer them one by one
            nobody = isinstance(error, Unavailable) and not isinstance(error, Refused)
            if len(rows) == 1 or self.once or nobody:
                return _failure(error)
            found = await self._each(rows, started, seconds)
        return ArmReply(answers=tuple(found), service_ms=(time.perf_counter() - started) * 1e3)

    async def away(self) -> str:
        return await self._pool.away()

    def verify(self) -> None:
        self._predictor.verify()

    async def close(self) -> None:
        await self._pool.close()

    async def _together(self, rows: Sequence[dict[str, Any]], seconds: float) -> list[Answer | Failure]:
        facts, height = self._predictor.facts, len(rows)
        made = self._predictor.features(frame(rows, self._predictor.dtypes))
        outputs = await self._pool.infer(self._model.tensors(made), self._model.output, seconds)
        return answers(*judged(self._model.found(outputs, height), height, facts), facts)

    async def _each(self, rows: Sequence[dict[str, Any]], started: float, seconds: float) -> list[Answer | Failure]:
        """As many at once as there are connections."""
        free = asyncio.Semaphore(self.connections)

        async def alone(row: dict[str, Any]) -> Answer | Failure:
            async with free:
                try:
                    (found,) = await self._together([row], seconds - (time.perf_counter() - started))
                except Exception as error:
                    return _failure(error)
                return found

        return list(await asyncio.gather(*map(alone, rows)))


def _failure(error: Exception) -> Failure:
    late = isinstance(error, Unavailable) and isinstance(error.__cause__, TimeoutError)
    return Failure(reason="deadline" if late else "exception", message=f"{type(error).__name__}: {error}")
