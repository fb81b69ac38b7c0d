"""How hard a measure presses for a retraining: the rule as it is declared, and the answer in its parts."""

from typing import Annotated, Literal

from msgspec import Meta

from flyball.core.declared.kinds import Positive
from flyball.core.record import Record

Gain = Annotated[float, Meta(ge=0)]


class PressureRule(Record):
    """Gains for an error of one set point, and limits. With the defaults `psi.act` presses from its third window on."""

    kp: Gain = 0.30
    ki: Gain = 0.15  # a window
    kd: Gain = 0.0  # windows
    enter: Positive = 1.0  # it presses from here on
    exit: Positive = 0.5  # until it is below this


class Pressure(Record):
    """One measure against its set point, over the windows that count."""

    of: Literal["psi", "risk"]
    value: float  # sum of the three parts, not below 0, unitless; beside `enter` and `exit`
    proportional: float
    integral: float
    derivative: float
    error: float  # of the newest window, in set points: 0 at the set point, 1 at twice it
    setpoint: float  # of that window, in the unit of the measure
    enter: float
    exit: float
    high: bool  # it presses: `enter` was reached, and it has not been below `exit` since
    windows: int  # that count and had the measure; 0: none, and the parts say nothing
    feature: str | None = None  # of the largest PSI
    held: str = ""  # why windows do not count at this moment
