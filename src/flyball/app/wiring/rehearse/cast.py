"""A scenario file and its service, read: what all its seeds share."""

import dataclasses
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from flyball.app.declared import Declared, load, read_text
from flyball.app.rehearse.models import labels_of
from flyball.app.rehearse.rows import RowLaw
from flyball.app.rehearse.scenario import Scenario, parse
from flyball.app.wiring.rehearse.models import BASE_ERROR, BASE_SLOW, Models
from flyball.app.wiring.traffic import dice
from flyball.contracts import yaml_text
from flyball.contracts.declaration.service_file import declaration
from flyball.contracts.declaration.service_file import parse as parse_service
from flyball.contracts.schema_faults import nearest
from flyball.control.rollout.powering import foretold
from flyball.core.contract import DataContract
from flyball.core.errors import Fault
from flyball.core.service import Service
from flyball.decide.rollout_plan import RolloutPlan
from flyball.decide.step_plan import Traffic


class Cast:
    """What all seeds of a scenario share: the service, its rows, and what its releases promise."""

    def __init__(self, declared: Declared, scenario: Scenario) -> None:
        """Raises: BadInput: rows for its contract cannot be made up."""
        self.declared = declared
        service, self.scenario = declared.service, scenario
        label = service.data.label
        self.service: Service = replace(service, data=replace(service.data, label_window_s=scenario.label_delay_s))
        self.contract: DataContract = declared.contract
        self.law = RowLaw(declared.contract, label=label, key=service.data.key)
        self.labels = labels_of(declared.contract, label, service.experiment.task, service.experiment.threshold)
        self.models = Models(self.service, self.contract, self.law, self.labels)

    @cached_property
    def plan(self) -> RolloutPlan:
        """What its rollouts can see at the traffic that the scenario declares: a log of some rows an hour does not tell
        it. The same for every seed."""
        traffic = Traffic(
            requests_s=self.scenario.traffic_rps,
            errors=BASE_ERROR,
            slow=BASE_SLOW,
            label_s=self.scenario.label_delay_s,
            source="the scenario",
            rates_source="as the first release's",
        )
        return foretold(self.service, traffic, dice)


def read(file: Path) -> Cast:
    """Raises: BadInput with all faults of the scenario, and of the service that it names."""
    known: dict[str, Declared] = {}

    def features(service: str) -> Sequence[str]:
        declared = known[service] = load(file.parent / service)
        label = declared.service.data.label
        return [column.name for column in declared.contract.columns if column.name != label]

    scenario = parse(read_text(file, where=str(file)), file=file.name, features=features)
    declared = changed(known[scenario.service], scenario.changes, file=file.name)
    _known(scenario, declared.service, file.name)
    return Cast(declared, scenario)


def _known(scenario: Scenario, service: Service, file: str) -> None:
    """Raises: BadInput: words of somebody who has no role; said, they would be refused."""
    people = service.metadata.people
    expected = f"one of metadata.people: {', '.join(people)}"
    strangers = [
        Fault(where=file, path=f"words[{index}].by", expected=expected, found=word.by, fix=nearest(word.by, people))
        for index, word in enumerate(scenario.words)
        if people and word.by and word.by not in people
    ]
    if strangers:
        raise yaml_text.refusal(file, strangers)


def changed(declared: Declared, changes: dict[str, Any], *, file: str) -> Declared:
    """The service with the changes of a scenario. Raises: BadInput: what comes of it is no declaration."""
    if not changes:
        return declared
    whole = msgspec.json.decode(msgspec.json.encode(declaration(declared.service)))
    text = msgspec.json.encode(changes).decode()
    return dataclasses.replace(declared, service=parse_service(text, file=f"{file}: changes", over=whole))
