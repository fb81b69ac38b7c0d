"""The package that is being made: a model as it is written, loaded again, and restored from a run before."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from flyball.core.model import Loaded, Packaged
from flyball.core.ports import Tools
from flyball.core.release import TestResult
from flyball.core.service import Service
from flyball.pipeline.run import package
from flyball.pipeline.run.data import files_under


class Package:
    """The release folder in the making. What answers is always what stands in the folder."""

    def __init__(self, output: Path, service: Service, tools: Tools) -> None:
        self.output, self._service, self._tools = output, service, tools
        self._loaded: Loaded | None = None
        self.tests: tuple[TestResult, ...] = ()  # of the model file that was written last

    def write(self, known: Packaged, estimator: Any, held: pl.DataFrame) -> dict[str, bytes]:
        """Write the model and load it as a gateway would; returns the files that were written, by path.

        `held`: features of the rows held out, on which an exported model is compared with the estimator.

        Raises: TrainingFailed: it cannot be packaged.
        """
        before = files_under(self.output)
        written = package.write_model(
            self.output,
            known,
            estimator,
            self._tools.load,
            service=self._service,
            holdout=held,
            formats=self._tools.formats,
        )
        self._loaded, self.tests = written.loaded, written.tests
        return {path: data for path, data in files_under(self.output).items() if before.get(path) != data}

    def restore(self, files: Mapping[str, bytes]) -> None:
        """Put files back where they were."""
        for path, data in files.items():
            (self.output / path).parent.mkdir(parents=True, exist_ok=True)
            (self.output / path).write_bytes(data)
        if package.FACTS in files:
            package.remove_other_models(self.output, self.facts)
        self._loaded = None

    @property
    def loaded(self) -> Loaded:
        """The model as it stands in the folder."""
        if self._loaded is None:
            self._loaded = self._tools.load(str(self.output))
        return self._loaded

    @property
    def facts(self) -> Packaged:
        return msgspec.json.decode((self.output / package.FACTS).read_bytes(), type=Packaged)
