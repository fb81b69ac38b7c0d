"""Verb: one training from frozen data to a packaged, judged release. Runs in a process of its own."""

from flyball.pipeline.run.training import run

__all__ = ["run"]
