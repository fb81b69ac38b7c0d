"""A model that somebody else's registry holds, as it was found there."""

from flyball.core.record import Record
from flyball.core.release import Grade


class Foreign(Record):
    """Bytes and what its registry says about them. Its own digests of data sets are left out: they name no data."""

    source: str  # `mlflow:models:/churn/3`
    name: str
    version: str
    run: str | None
    flavour: str  # `sklearn`, or `python_function`: any other, asked by mlflow.pyfunc
    model: bytes  # the pickle of `sklearn`; else the model's folder, packed
    sha256: str  # of the model's bytes, hex
    inputs: tuple[str, ...]  # columns in the order in which it was fitted; empty: nobody wrote them down
    python: str | None
    requirements: tuple[str, ...]
    types: tuple[str, ...] = ()  # of the inputs, as MLflow names them
    runs_code: tuple[str, ...] = ()  # files of the folder that run code when they are opened


def environment_grade(requirements: tuple[str, ...], python: str | None) -> Grade:
    """How well the environment in which it was made is known: C every distribution by its version, else D.

    Never better: a version is a name, and nobody kept the hashes of what was installed.

    >>> environment_grade(("scikit-learn==1.7.2", "numpy==2.3.1"), "3.11.2"), environment_grade(("numpy>=2",), "3.11.2")
    ('C', 'D')
    """
    pinned = all("==" in line and "*" not in line for line in requirements)
    return "C" if requirements and python and pinned else "D"
