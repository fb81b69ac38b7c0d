"""What only cares for a service is not counted: the names of rollouts, and so who meets them, do not hang on it."""

import inspect
from types import ModuleType

import pytest

from flyball.control.state.turn import CARE
from flyball.core.fact import Fact
from flyball.core.facts import access, alert, drill, healing, health, incident, routine

OF_THE_DATA = (incident.IncidentOpened, incident.IncidentClosed)  # by their kind


@pytest.mark.parametrize("module", [access, alert, drill, healing, health, incident, routine])
def test_each_fact_of_care_is_known_as_one(module: ModuleType) -> None:
    facts = [each for _, each in inspect.getmembers(module, inspect.isclass) if each.__module__ == module.__name__]
    facts = [each for each in facts if issubclass(each, Fact)]
    assert facts
    assert [each.__name__ for each in facts if each not in (*CARE, *OF_THE_DATA)] == []
