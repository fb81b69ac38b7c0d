"""A model version fetched from an MLflow server (extra `mlflow`). Nothing of it is loaded or run here."""

import hashlib
import tempfile
from pathlib import Path
from typing import Any

from flyball.adapters.mlflow_mirror import client
from flyball.core.errors import BadInput, Fault, NotFound, Unavailable
from flyball.core.foreign import Foreign
from flyball.core.packed_files import packed

SCHEME = "mlflow:models:/"
_RUNS = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".py")  # files that run code when they are opened


def fetch(source: str, server: str) -> Foreign:
    """`source`: `mlflow:models:/NAME/VERSION` or `mlflow:models:/NAME@ALIAS`; `server`: tracking URI.

    Raises: BadInput: another form, or a model that mlflow.pyfunc cannot ask. NotFound: no such version.
    Unavailable: the server does not answer, or the extra is not installed.
    """
    api = client(server)
    from mlflow.exceptions import MlflowException

    try:
        version = _version(api, source)
        uri = api.get_model_version_download_uri(version.name, version.version)
        with tempfile.TemporaryDirectory() as folder:
            return _read(source, version, Path(_download(uri, server, folder)))
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):  # the second: no such alias
            raise NotFound(f"{source}: {error.message}", hint=f"asked {server}") from error
        raise Unavailable(f"{source}: {error.message}", hint=f"asked {server}") from error


def _version(api: Any, source: str) -> Any:
    name = source.removeprefix(SCHEME)
    if name != source and "@" in name:
        model, _, alias = name.partition("@")
        return api.get_model_version_by_alias(model, alias)
    model, slash, number = name.partition("/")
    if name == source or not slash or not number.isdigit():
        raise _bad(source, "source", f"{SCHEME}NAME/VERSION or {SCHEME}NAME@ALIAS", source)
    return api.get_model_version(model, number)


def _download(uri: str, server: str, folder: str) -> str:
    from mlflow.artifacts import download_artifacts

    return str(download_artifacts(artifact_uri=uri, dst_path=folder, tracking_uri=server))


def _read(source: str, version: Any, folder: Path) -> Foreign:
    from mlflow.models import Model

    model = Model.load(str(folder))
    if "python_function" not in model.flavors:
        found = ", ".join(sorted(model.flavors)) or "none"
        raise _bad(source, "flavour", "one that mlflow.pyfunc can ask (python_function)", found)
    flavour = model.flavors.get("sklearn", {})
    native = flavour.get("serialization_format", "" if not flavour else "cloudpickle") in ("pickle", "cloudpickle")
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    data = files[flavour["pickled_model"]] if native else packed(files)
    schema = model.get_input_schema()  # type: ignore[no-untyped-call]
    named = schema is not None and schema.has_input_names()
    requirements = folder / "requirements.txt"
    lines = requirements.read_text().splitlines() if requirements.is_file() else []
    return Foreign(
        source=f"{SCHEME}{version.name}/{version.version}",
        name=version.name,
        version=str(version.version),
        run=version.run_id or None,
        flavour="sklearn" if native else "python_function",
        model=data,
        sha256=hashlib.sha256(data).hexdigest(),
        inputs=tuple(schema.input_names()) if named else (),
        types=tuple(getattr(each.type, "name", str(each.type)) for each in schema.inputs) if named else (),
        runs_code=tuple(sorted(name for name in files if name.endswith(_RUNS))),
        python=model.flavors.get("python_function", {}).get("python_version"),
        requirements=tuple(line.strip() for line in lines if line.strip() and not line.startswith("#")),
    )


def _bad(source: str, path: str, expected: str, found: str) -> BadInput:
    return BadInput(f"{source} cannot be imported.", (Fault(where=source, path=path, expected=expected, found=found),))
