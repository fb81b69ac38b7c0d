"""Runs, versions and the champion shown in an MLflow server (extra `mlflow`); driven by messages of the outbox.

Each message is done by looking for what carries our id in its tags, and making it only if it is not there, so a message
that comes twice changes nothing. The alias `champion` carries the ledger line that set it: an old message that comes
again does not turn it back. MLflow's own dataset digests are never read: they name the first rows only.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flyball.adapters.mlflow_model import write_model
from flyball.core.clock import moment
from flyball.core.errors import FlyballError, Unavailable
from flyball.core.ledger import Message
from flyball.core.outbox import Answer

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

RUN, RELEASE, LINE = "flyball.run", "flyball.release", "flyball.champion_line"
ALIAS = "champion"
STATUS = {"finished": "FINISHED", "failed": "FAILED", "killed": "KILLED"}
_TOLD = 300  # characters of an error that are kept


class MlflowMirror:
    """`to`: tracking URI. `verified`: the folder of a release after its signature was checked. `key`: the public key
    that goes with each model, so that whoever loads it can check the same."""

    def __init__(self, to: str, verified: Callable[[str], str], key: Path) -> None:
        self._client, self._to, self._verified, self._key = client(to), to, verified, key

    def send(self, message: Message) -> Answer:
        """One message done, however often it comes."""
        from mlflow.exceptions import MlflowException

        body = message.body
        try:
            match body.get("event"):
                case "run.started" | "run.ended":
                    self._run(body)
                case "release.registered":
                    self._version(body["service"], body["release_root"], body)
                case "release.judged":
                    version = self._version(body["service"], body["release_root"], body)
                    passed = str(body["passed"]).lower()
                    self._client.set_model_version_tag(version.name, version.version, "flyball.passed", passed)
                case "champion":
                    self._champion(body)
                case other:
                    return Answer(ok=False, status=f"unknown event {other!r}", final=True)
        except (MlflowException, FlyballError, OSError) as error:
            return Answer(ok=False, status=f"{type(error).__name__}: {error}"[:_TOLD])
        return Answer(ok=True, status="done")

    def _run(self, body: dict[str, Any]) -> str:
        """The run of ours with this id; made if it is not there."""
        from mlflow.entities import Metric, Param

        run = self._find_run(body["service"], RUN, body["run"])
        if run is None:
            given = ("experiment", "snapshot", "code", "environment", "reason")
            tags = {f"flyball.{key}": str(body[key]) for key in given if body.get(key)} | {RUN: body["run"]}
            made = self._client.create_run(
                self._experiment(body["service"]), _ms(body["started_at"]), tags, run_name=body["run"][-12:]
            )
            run = made.info.run_id
        config = body.get("config") or {}
        if config:
            self._client.log_batch(run, params=[Param(key, str(value)) for key, value in config.items()])
        if body["event"] == "run.ended":
            at, release = _ms(body["at"]), body.get("release") or {}
            metrics = release.get("metrics", {})
            if metrics:
                values = [Metric(name, found["value"], at, 0) for name, found in metrics.items()]
                self._client.log_batch(run, metrics=values)
            if body.get("error"):
                self._client.set_tag(run, "flyball.error", body["error"][:5000])
            self._client.set_terminated(run, STATUS[body["outcome"]], at)
        return str(run)

    def _version(self, name: str, root: str, body: dict[str, Any]) -> "ModelVersion":
        """The model version of a release: its folder as a model that `mlflow.pyfunc` loads."""
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(name, tags={"flyball": "mirror"})
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        for version in self._client.search_model_versions(f"name = '{name}'"):
            if version.tags.get(RELEASE) == root:
                return version
        run = self._find_run(name, RUN, body["run"]) if body.get("run") else None
        if run is None:  # a release that was there before the server was declared, or made elsewhere
            run = self._find_run(name, RELEASE, root) or self._made_run(name, root, body)
        with tempfile.TemporaryDirectory() as folder:
            write_model(Path(folder), Path(self._verified(root)), self._key)
            self._client.log_artifacts(run, folder, "model")
        tags = {RELEASE: root} | {f"flyball.{key}": body[key] for key in ("experiment", "snapshot") if body.get(key)}
        source = f"{self._client.get_run(run).info.artifact_uri}/model"
        return self._client.create_model_version(name, source, run, tags, description=f"release {root}")

    def _made_run(self, name: str, root: str, body: dict[str, Any]) -> str:
        made = self._client.create_run(self._experiment(name), _ms(body["at"]), {RELEASE: root}, run_name=root[7:19])
        self._client.set_terminated(made.info.run_id, "FINISHED", _ms(body["at"]))
        return str(made.info.run_id)

    def _champion(self, body: dict[str, Any]) -> None:
        name, line = body["service"], int(body["seq"])
        version = self._version(name, body["release_root"], body)
        if line < int(self._client.get_registered_model(name).tags.get(LINE, "0")):
            return  # a newer word is there
        self._client.set_registered_model_alias(name, ALIAS, version.version)
        self._client.set_registered_model_tag(name, LINE, str(line))

    def _find_run(self, name: str, tag: str, value: str) -> str | None:
        found = self._client.search_runs([self._experiment(name)], f"tags.`{tag}` = '{value}'", max_results=1)
        return str(found[0].info.run_id) if found else None

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        beside = None
        if self._to.startswith("sqlite:"):  # without a server nobody else says where artefacts go
            beside = Path(self._to.removeprefix("sqlite:///")).resolve().with_suffix(".artifacts").as_uri()
        return str(self._client.create_experiment(name, artifact_location=beside))


def client(to: str) -> "MlflowClient":
    """Raises: Unavailable: the extra is not installed."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")  # we try again ourselves, from the outbox
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    try:
        from mlflow import MlflowClient
    except ImportError as error:
        raise Unavailable("MLflow is not installed", hint="pip install 'flyball[mlflow]'") from error
    return MlflowClient(tracking_uri=to, registry_uri=to)


def _ms(at: str) -> int:
    return int(moment(at).timestamp() * 1000)
