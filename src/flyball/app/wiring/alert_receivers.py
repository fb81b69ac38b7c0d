"""The receiver of alerts for a destination, put together: in whose words, with which secret, to where."""

from collections.abc import Callable, Mapping

from flyball.adapters.messages.alerts import alertmanager, pagerduty, slack, teams
from flyball.adapters.messages.alerts.github_issues import GitHubIssues
from flyball.adapters.messages.alerts.jira_issues import JiraIssues
from flyball.adapters.messages.alerts.mail import Mailer
from flyball.adapters.messages.alerts.poster import AlertPoster, Translate
from flyball.adapters.messages.alerts.ticket_file import TicketFiles
from flyball.adapters.messages.receiver_http import HttpReceiver
from flyball.adapters.messages.receiver_thread import InThread
from flyball.app.home import Home
from flyball.core.declared.alerts import AlertDestination
from flyball.core.errors import FlyballError, Unavailable
from flyball.core.outbox import Receiver

FILE_DEADLINE_S, MAIL_DEADLINE_S, APPRISE_DEADLINE_S = 10.0, 45.0, 60.0
FROM_ENVIRONMENT = "env:"


def alert_receiver(address: str, to: AlertDestination, home: Home, environment: Mapping[str, str]) -> Receiver:
    """Raises: Unavailable: a variable that it names is not set, or an extra is not installed."""
    where, secret, token, hide = _resolved(address, to, environment)
    match to.format:
        case "webhook":
            return HttpReceiver(where, "webhook", secret=secret, token=token, hide=hide)
        case "alertmanager":
            return _alertmanager(where, token, hide, alertmanager.postable)
        case "pagerduty":
            key = token or ""
            return AlertPoster(_under(where, pagerduty.PATH), lambda notice: pagerduty.event(notice, key), hide=hide)
        case "slack":
            return AlertPoster(where, slack.message, hide=(*hide, *_parts(where)))
        case "teams":
            return AlertPoster(where, teams.message, hide=(*hide, *_parts(where)))
        case "github":
            return GitHubIssues(where, token or "", hide=hide)
        case "jira":
            return JiraIssues(where, to.project or "", token or "", user=to.user, hide=hide)
        case _:
            return _in_thread(address, to, where, token, home)


def reminder(
    address: str, to: AlertDestination, environment: Mapping[str, str], until: Callable[[], str]
) -> AlertPoster | None:
    """Tells again what is open, to whoever forgets it. None: a destination that does not.

    Until: up to when what is told again holds. Raises: Unavailable: a variable that it names is not set.
    """
    if to.format != "alertmanager":
        return None
    where, _, token, hide = _resolved(address, to, environment)
    return _alertmanager(where, token, hide, lambda notice: alertmanager.postable(notice, until=until()))


def _alertmanager(where: str, token: str | None, hide: tuple[str, ...], translate: Translate) -> AlertPoster:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return AlertPoster(_under(where, alertmanager.PATH), translate, headers=headers, hide=hide)


def _resolved(
    address: str, to: AlertDestination, environment: Mapping[str, str]
) -> tuple[str, str | None, str | None, tuple[str, ...]]:
    """Address, secret, token, and what of them nobody may see. Raises: Unavailable."""
    hidden = to.to.removeprefix(FROM_ENVIRONMENT) if to.to.startswith(FROM_ENVIRONMENT) else None
    named = [name for name in (hidden, to.secret, to.token) if name is not None]
    if unset := [name for name in named if not environment.get(name)]:
        raise Unavailable(f"{address}: the environment variable {' and '.join(unset)} is not set")
    where = environment[hidden] if hidden else to.to
    secret = environment[to.secret] if to.secret else None
    token = environment[to.token] if to.token else None
    parts = _parts(where) if hidden else ()
    return where, secret, token, (*(environment[name] for name in named), *parts)


def _in_thread(address: str, to: AlertDestination, where: str, token: str | None, home: Home) -> Receiver:
    """Those that block."""
    match to.format:
        case "ticket_file":
            files = TicketFiles(home.root / where.removeprefix("file:").removeprefix("//"))
            return InThread(files.send, name=address, deadline_s=FILE_DEADLINE_S)
        case "email":
            mailer = Mailer(where, server=to.server or "", sender=to.sender or "", user=to.user, password=token)
            return InThread(mailer.send, name=address, deadline_s=MAIL_DEADLINE_S)
        case "apprise":
            try:
                from flyball.adapters.messages.alerts.by_apprise import AppriseSender
            except ModuleNotFoundError as error:
                hint = "pip install 'flyball[apprise]'"
                raise Unavailable(f"{address}: Apprise is not installed", hint=hint) from error
            return InThread(AppriseSender(where).send, name=address, deadline_s=APPRISE_DEADLINE_S)
        case other:
            raise FlyballError(f"{address}: the format {other!r} has no receiver")


def _under(where: str, path: str) -> str:
    """The address of an API, whether the declaration names it or its server."""
    return where if where.rstrip("/").endswith(path) else where.rstrip("/") + path


def _parts(url: str) -> tuple[str, ...]:
    """Of an address that is a secret the path, and each long part of it, which an error may show by itself."""
    path = url.partition("://")[2].partition("/")[2]
    return (path, *(part for part in path.replace("?", "/").replace("&", "/").split("/") if len(part) >= 8))
