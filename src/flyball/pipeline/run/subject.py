"""What is trained: the declaration and the contract of a job, and the columns that follow from them."""

import msgspec
import polars as pl

from flyball.core.contract import DataContract
from flyball.core.errors import BadInput, Fault, TrainingFailed
from flyball.core.model import Input
from flyball.core.ports import TrainingJob
from flyball.core.record import Record
from flyball.core.service import Service


class Subject(Record):
    """A job, read."""

    job: TrainingJob
    service: Service
    contract: DataContract
    inputs: tuple[Input, ...]  # contract columns other than the label
    plain: tuple[str, ...]  # features where the service's code has no `features` function

    @property
    def label(self) -> str:
        return self.service.data.label

    def frame(self, table: pl.DataFrame) -> pl.DataFrame:
        """The columns that `features` may see."""
        return table.select([column.name for column in self.inputs])


def subject(job: TrainingJob) -> Subject:
    """Raises: TrainingFailed, BadInput: the job cannot be a training."""
    service = msgspec.convert(job.declaration, Service)
    if job.contract is None:
        raise TrainingFailed("the job carries no data contract")
    label = service.data.label
    if label not in {column.name for column in job.contract.columns}:
        fault = Fault(where="contract", path=label, expected="a column for the label", found="none")
        raise BadInput("The contract does not fit the service.", (fault,))
    inputs = tuple(Input(name=c.name, kind=c.kind) for c in job.contract.columns if c.name != label)
    apart = {service.data.key, service.data.timestamp}
    plain = tuple(column.name for column in inputs if column.name not in apart)
    return Subject(job=job, service=service, contract=job.contract, inputs=inputs, plain=plain)
