"""Which kind of change it is, what led there, where it sits and what it costs."""

from flyball.decide.diagnosis.elimination import diagnose

__all__ = ["diagnose"]
