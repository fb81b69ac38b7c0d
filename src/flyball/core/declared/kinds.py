"""The kinds of values that a declaration is made of: shares, durations, names, and the closed lists of words."""

from typing import Annotated, Literal

from msgspec import Meta

Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(gt=0)]
Seconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Scalar = str | float | int | bool | None
Task = Literal["binary", "multiclass", "regression"]
Role = Literal["approver", "operator", "exception"]
Remedy = Literal["observe", "suggest", "approval", "auto"]
Trigger = Literal["drift", "risk", "trend", "new_data", "commit", "webhook"]
TriggerSource = Literal["new_data", "commit", "tag", "webhook"]  # whence a message says that something is new
OnTimeout = Literal["hold", "extend", "abort"]
StepKind = Literal["shadow", "approval", "canary", "pause", "soak", "promote"]
Suite = Literal["data", "training", "model", "deployment", "privacy"]
MEASURED = (  # what a gate can read beside the metrics: by the clock, on the disk, in memory
    "latency_p50_ms",
    "latency_p99_ms",
    "latency_p99_ms_batch32",
    "model_memory_mb",
    "model_size_mb",
)
Dimension = Literal["data", "training", "quality", "fairness", "robustness", "privacy", "cost", "latency"]
