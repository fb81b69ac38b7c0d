from datetime import UTC, datetime, timedelta
from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.contracts.declaration.service_file import parse
from flyball.core.errors import BadInput
from flyball.core.release import Grade
from flyball.core.service import Pin
from flyball.pipeline.grades import expires, grade

PIN = Pin(system="iceberg", table_id="cards", snapshot_id="42", retention_until="2027-06-30")
BEFORE = datetime(2027, 6, 30, 23, 59, tzinfo=UTC)


@given(kept=st.booleans(), pinned=st.booleans(), digest=st.booleans(), after=st.timedeltas(timedelta(0), timedelta(9)))
def test_a_grade_only_sinks_as_time_goes_by(kept: bool, pinned: bool, digest: bool, after: timedelta) -> None:
    pin = PIN if pinned else None
    early = grade(kept=kept, pin=pin, digest=digest, now=BEFORE)
    late = grade(kept=kept, pin=pin, digest=digest, now=BEFORE + after)
    assert early <= late  # the letters are in order, for a gate's expression as well: `grade <= "B"`


def test_the_four_grades() -> None:
    assert grade(kept=True, pin=PIN, digest=True, now=BEFORE) == "A"
    assert grade(kept=False, pin=PIN, digest=True, now=BEFORE) == "B"
    assert grade(kept=False, pin=PIN, digest=True, now=expires(PIN)) == "C"
    assert grade(kept=False, pin=PIN, digest=False, now=expires(PIN)) == "D"


def test_a_demand_is_met_by_itself_and_by_all_better_ones() -> None:
    order: tuple[Grade, ...] = get_args(Grade)
    for (i, found), (j, floor) in product(enumerate(order), repeat=2):
        assert (found <= floor) is (i <= j)


SERVICE = """\
apiVersion: flyball/v1
kind: Service
metadata: {name: small, owner: somebody}
data:
  contract: contract.yaml
  source: data.csv
  label: y
  pin: {system: iceberg, table_id: cards, snapshot_id: "42", retention_until: 2027-06-30}
experiment: {task: binary, metric: roc_auc}
"""


def test_a_pin_is_declared_in_the_service_file() -> None:
    assert parse(SERVICE).data.pin == PIN


@pytest.mark.parametrize("day", ["2027-02-31", "soon", "30.06.2027"])
def test_a_day_that_is_none_is_a_fault_of_the_file(day: str) -> None:
    with pytest.raises(BadInput, match=r"data\.pin\.retention_until"):
        parse(SERVICE.replace("2027-06-30", day))
