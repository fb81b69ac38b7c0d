"""Who is told when something is wrong, how, and what is not worth telling: the section `alerts` of service.yaml."""

from typing import Annotated, Literal

from msgspec import Meta, field

from flyball.core.declared_kinds import Seconds
from flyball.core.destination import Variable
from flyball.core.record import Record

AlertFormat = Literal[  # the last three file work, the others tell somebody
    "alertmanager", "pagerduty", "slack", "teams", "email", "webhook", "apprise", "ticket_file", "github", "jira"
]
Person = Annotated[str, Meta(min_length=1)]  # a name, or an address


class AlertDestination(Record):
    """Where alerts of the service go. Secrets, and addresses that are secrets, are named, never written down."""

    format: AlertFormat
    to: str  # what an address is depends on the format; `env:NAME`: it stands in that environment variable
    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")] | None = None  # None: the format's
    urgency: Literal["page", "ticket", "all"] = "all"  # which alerts go there
    secret: Variable | None = None  # environment variable with the secret that signs each message
    token: Variable | None = None  # environment variable with the routing key, token or password
    user: str | None = None  # whom the token, or the password, is of
    sender: str | None = None  # of mails
    server: str | None = None  # host and port of the mail server
    project: str | None = None  # of Jira, its key

    @property
    def called(self) -> str:
        """The name by which the destination is known within its service."""
        return self.name or self.format


class Flap(Record):
    """What comes and goes is one alert, or none."""

    calm_s: Seconds = 300.0  # an alert is over when its cause has been gone for so long
    times: Annotated[int, Meta(ge=2)] = 3  # a cause that has come more often ...
    within_s: Seconds = 4 * 3600.0  # ... in this time is told no more until it comes less often ...
    stays_s: Seconds = 900.0  # ... or stays for so long


class Alerts(Record):
    owner: str | None = None  # whose the alerts are; None: metadata.owner
    on_call: tuple[Person | tuple[Person, ...], ...] = ()  # who is paged, level by level; none: the owner
    escalate_s: Annotated[float, Meta(gt=0)] = 900.0  # a page that nobody takes goes one level up after so long
    to: tuple[AlertDestination, ...] = ()
    runbooks_url: str | None = None  # folder of the runbooks, as a reader of alerts reaches it
    flap: Flap = field(default_factory=Flap)
    canary_quiet: bool = True  # the candidate's errors and latency are judged by its rollout, and page nobody
    wait_for_remedy: bool = True  # nobody is told of what a remedy is busy with, until it is known whether it helped

    @property
    def levels(self) -> tuple[tuple[str, ...], ...]:
        """Who is on call, level by level."""
        return tuple((each,) if isinstance(each, str) else each for each in self.on_call)
