"""What an OpenSLO v1 document of the kinds SLO and SLI holds, as records; unknown keys are faults.

The specification: github.com/OpenSLO/OpenSLO, `apiVersion: openslo/v1`.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta

from flyball.core.record import Record

VERSION = "openslo/v1"
READ = ("SLO", "SLI")
KNOWN = ("DataSource", "SLO", "SLI", "AlertPolicy", "AlertCondition", "AlertNotificationTarget", "Service")
DURATION = r"^[1-9]\d*[mhdwMQY]$"

ObjectName = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9._-]{0,253}[a-z0-9])?$")]
Duration = Annotated[str, Meta(pattern=DURATION)]
Text = Annotated[str, Meta(max_length=1050)]


class ObjectMetadata(Record, rename="camel", omit_defaults=True):
    name: ObjectName
    display_name: str = ""
    labels: dict[str, str | tuple[str, ...]] = {}
    annotations: dict[str, str] = {}


class MetricSource(Record, rename="camel", omit_defaults=True):
    metric_source_ref: str = ""
    type: str = ""
    spec: dict[str, Any] = {}


class Metric(Record, rename="camel"):
    metric_source: MetricSource


class RatioMetric(Record, rename="camel", omit_defaults=True):
    counter: bool | None = None
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric | None = None
    raw: Metric | None = None
    raw_type: Literal["success", "failure"] | None = None


class IndicatorSpec(Record, rename="camel", omit_defaults=True):
    description: Text = ""
    ratio_metric: RatioMetric | None = None
    threshold_metric: Metric | None = None


class Indicator(Record, rename="camel", omit_defaults=True):
    spec: IndicatorSpec
    metadata: ObjectMetadata | None = None


class TimeWindow(Record, rename="camel", omit_defaults=True):
    duration: Duration
    is_rolling: bool = False
    calendar: dict[str, Any] | None = None


class Threshold(Record, rename="camel", omit_defaults=True):
    display_name: str = ""
    op: Literal["lte", "gte", "lt", "gt"] | None = None
    value: float | None = None
    target: Annotated[float, Meta(ge=0, lt=1)] | None = None
    target_percent: Annotated[float, Meta(ge=0, lt=100)] | None = None
    time_slice_target: Annotated[float, Meta(ge=0, le=1)] | None = None
    time_slice_window: Duration | Annotated[float, Meta(gt=0)] | None = None  # a number is of minutes
    composite_weight: float | None = None
    indicator: dict[str, Any] | None = None
    indicator_ref: str | None = None


class SloSpec(Record, rename="camel", omit_defaults=True):
    service: str
    budgeting_method: Literal["Occurrences", "Timeslices", "RatioTimeslices"]
    objectives: tuple[Threshold, ...]
    time_window: tuple[TimeWindow, ...] = ()
    description: Text = ""
    indicator: Indicator | None = None
    indicator_ref: str | None = None
    alert_policies: tuple[Any, ...] = ()


class SloDocument(Record, rename="camel"):
    api_version: Literal["openslo/v1"]
    kind: Literal["SLO"]
    metadata: ObjectMetadata
    spec: SloSpec


class SliDocument(Record, rename="camel"):
    api_version: Literal["openslo/v1"]
    kind: Literal["SLI"]
    metadata: ObjectMetadata
    spec: IndicatorSpec
