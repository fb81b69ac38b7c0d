"""Who is told when something is wrong, how, and what is not worth telling: the section `alerts` of service.yaml."""

from typing import Annotated, Literal

from msgspec import Meta, field

from flyball.core.clock import moment
from flyball.core.declared.destination import Variable
from flyball.core.declared.kinds import Seconds
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


class Rotation(Record):
    """Whose turn it is: with each turn the first of the levels that turn goes behind the last of them."""

    start: str  # of the first turn, RFC 3339 with its offset; before it nobody has moved
    turn_s: Annotated[float, Meta(gt=0)] = 7 * 86_400.0
    levels: Annotated[int, Meta(ge=2)] | None = None  # so many of the first ones turn; None: all

    def turns(self, at: str) -> int:
        """How many have begun after the first one. Counted in seconds of UTC: a clock that is put forward or back for
        the summer moves the hour of the change, and no turn.

        >>> Rotation(start="2026-11-30T09:00:00Z").turns("2026-12-07T09:00:00.000000Z")
        1
        """
        return max(0, int((moment(at) - moment(self.start)).total_seconds() // self.turn_s))


class Alerts(Record):
    owner: str | None = None  # whose the alerts are; None: metadata.owner
    on_call: tuple[Person | tuple[Person, ...], ...] = ()  # who is paged, level by level; none: the owner
    rotation: Rotation | None = None  # None: the levels stay as they are
    escalate_s: Annotated[float, Meta(gt=0)] = 900.0  # a page that nobody takes goes one level up after so long
    to: tuple[AlertDestination, ...] = ()
    runbooks_url: str | None = None  # where the runbooks are published, as a reader of alerts reaches them
    flap: Flap = field(default_factory=Flap)
    canary_quiet: bool = True  # the candidate's errors and latency are judged by its rollout, and page nobody
    wait_for_remedy: bool = True  # nobody is told of what a remedy is busy with, until it is known whether it helped

    @property
    def levels(self) -> tuple[tuple[str, ...], ...]:
        """Who is on call at all, level by level, as before the first turn."""
        return tuple((each,) if isinstance(each, str) else each for each in self.on_call)

    def levels_at(self, at: str) -> tuple[tuple[str, ...], ...]:
        """Who is on call at a moment (RFC 3339), level by level.

        >>> week = Rotation(start="2026-11-30T09:00:00Z", levels=2)
        >>> Alerts(on_call=("ada", "bob", "cto"), rotation=week).levels_at("2026-12-08T00:00:00.000000Z")
        (('bob',), ('ada',), ('cto',))
        """
        levels, rotation = self.levels, self.rotation
        if rotation is None or not levels:
            return levels
        turning = levels[: rotation.levels]
        moved = rotation.turns(at) % len(turning)
        return (*turning[moved:], *turning[:moved], *levels[len(turning) :])
