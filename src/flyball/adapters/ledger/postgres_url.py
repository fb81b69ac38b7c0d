"""The URL of a ledger on PostgreSQL: checked before anyone connects, and shown without its password.

A password that is not percent-encoded would be taken for another part of the URL and shown with it. So a URL whose
parts are in doubt is refused without being repeated.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from flyball.core.errors import BadInput, Fault

SCHEMES = ("postgresql://", "postgres://")
SECRETS = ("password", "sslpassword")
_HOST = r"(?:\[[0-9A-Fa-f:.%]+\]|[\w.%-]*)(?::\d+)?"
_PARTS = re.compile(
    r"(?P<scheme>postgres(?:ql)?)://(?:(?P<user>[^:@/?#\s]*)(?::(?P<password>[^:@/?#\s]*))?@)?"
    rf"(?P<hosts>{_HOST}(?:,{_HOST})*)(?P<database>/[^@/?#\s]*)?(?:\?(?P<options>[^@?#\s]*))?"
)


@dataclass(frozen=True)
class Url:
    """Where a ledger stands. `text` may hold a password, and is not shown; `str()` never does."""

    text: str = field(repr=False)
    shown: str

    def __str__(self) -> str:
        return self.shown


def parsed(text: str) -> Url:
    """A URL as libpq reads it, `postgresql://user:password@host:port/database?option=value`.

    Raises: BadInput: it is none, or not without doubt; its text is not repeated, as it may hold a password.

    >>> str(parsed("postgresql://ann:secret@db.example:5432/flyball?sslmode=require&password=x"))
    'postgresql://ann@db.example:5432/flyball?sslmode=require'
    >>> str(parsed("postgresql:///flyball?host=/run/postgresql"))
    'postgresql:///flyball?host=/run/postgresql'
    """
    found = _PARTS.fullmatch(text)
    if found is None:
        fault = Fault(
            where="the URL of the ledger",
            path="parts",
            expected="postgresql://user@host:port/database",
            found="something else, not shown as it may hold a password",
            fix="percent-encode what is special in a name or a password: @ is %40, / is %2F, : is %3A",
        )
        raise BadInput("This is not the URL of a ledger on PostgreSQL.", (fault,))
    user, options = found["user"], found["options"]
    kept = [(name, value) for name, value in parse_qsl(options or "", keep_blank_values=True) if name not in SECRETS]
    shown = f"postgresql://{f'{user}@' if user else ''}{found['hosts']}{found['database'] or ''}"
    return Url(text=text, shown=f"{shown}?{urlencode(kept, safe='/,')}" if kept else shown)
