"""The inputs of each experiment that was ever started in a home: a file an experiment, named by its digest."""

import os
from pathlib import Path

import msgspec

from flyball.adapters.content.blobs import write_whole
from flyball.app.home import Home
from flyball.core.errors import NotFound, Untrusted
from flyball.core.ids import short
from flyball.pipeline.inputs import Inputs


class ExperimentStore:
    """`home.experiments/<hex>.json`."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def put(self, inputs: Inputs) -> None:
        """Keep; what is there already stays. Raises: Unavailable: the disk does not take it."""
        path = self._path(inputs.name)
        try:
            os.utime(path)  # wanted again: a sweep lets it be
        except FileNotFoundError:
            write_whole(path, msgspec.json.encode(inputs))

    def get(self, experiment: str) -> Inputs:
        """The inputs, their document hashed again.

        Raises: NotFound: they were not kept. Untrusted: they are not those of this experiment.
        """
        try:
            inputs = msgspec.json.decode(self._path(experiment).read_bytes(), type=Inputs)
        except FileNotFoundError as error:
            hint = "only homes that it was trained in hold them"
            raise NotFound(f"experiment {short(experiment)}: its inputs are not in this home", hint=hint) from error
        except msgspec.MsgspecError as error:
            raise Untrusted(f"experiment {short(experiment)}: its inputs cannot be read: {error}") from error
        if inputs.name != experiment:
            raise Untrusted(f"experiment {short(experiment)}: the document on file has the digest {inputs.name}")
        return inputs

    def _path(self, experiment: str) -> Path:
        return self._home.experiments / (experiment.rsplit(":", 1)[-1] + ".json")
