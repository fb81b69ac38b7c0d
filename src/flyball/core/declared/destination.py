"""Whom a service tells its facts: the section `events` of service.yaml."""

from typing import Annotated, Literal

from msgspec import Meta

from flyball.core.record import Record

EventFormat = Literal["openlineage", "cdevents", "mlflow"]
Variable = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Destination(Record):
    """Where facts of the service are told, and in which words. Secrets are named, never written down."""

    format: EventFormat
    to: str  # http(s) address, `file:` and a path (relative ones lie in the home), or a tracking URI of MLflow
    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")] | None = None  # None: the format's
    namespace: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,126}$")] = "flyball"
    secret: Variable | None = None  # environment variable with the secret that signs each message
    token: Variable | None = None  # environment variable with the bearer token

    @property
    def called(self) -> str:
        """The name by which the destination is known within its service."""
        return self.name or self.format
