"""The package that is being made: a model as it is written, loaded again, and restored from a run before."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from flyball.core.model import Load, Loaded, Packaged
from flyball.pipeline.run import package
from flyball.pipeline.run.data import files_under


class Package:
    """The release folder in the making. What answers is always what stands in the folder."""

    def __init__(self, output: Path, load: Load) -> None:
        self.output, self._load = output, load
        self._loaded: Loaded | None = None

    def write(self, known: Packaged, estimator: Any) -> dict[str, bytes]:
        """Write the model and load it as a gateway would; returns the files that were written, by path.

        Raises: TrainingFailed: it cannot be packaged.
        """
        before = files_under(self.output)
        self._loaded = package.write_model(self.output, known, estimator, self._load)
        return {path: data for path, data in files_under(self.output).items() if before.get(path) != data}

    def restore(self, files: Mapping[str, bytes]) -> None:
        """Put files back where they were."""
        for path, data in files.items():
            (self.output / path).parent.mkdir(parents=True, exist_ok=True)
            (self.output / path).write_bytes(data)
        self._loaded = None

    @property
    def loaded(self) -> Loaded:
        """The model as it stands in the folder."""
        if self._loaded is None:
            self._loaded = self._load(str(self.output))
        return self._loaded

    @property
    def facts(self) -> Packaged:
        return msgspec.json.decode((self.output / "release.json").read_bytes(), type=Packaged)
