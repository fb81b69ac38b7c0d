"""What a column is about, guessed from its name and its values: a common format, and whether it concerns a person.

Guesses, for somebody to read. A format is proposed only where every value of the sample has it.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

import polars as pl

FIRST = 200  # values that choose the format which all are then asked for
FORMATS: dict[str, str] = {
    "email": r"^[^@\s]+@[^@\s]+\.[^@\s.]+$",
    "uuid": r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$",
    "ipv4": r"^(?:\d{1,3}\.){3}\d{1,3}$",
    "url": r"^[a-z][a-z0-9+.-]*://\S+$",
    "phone": r"^\+\d[\d ()/.-]{6,18}$",
    "iban": r"^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$",
    "hex digest": r"^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})$",
    "time": r"^\d{2}:\d{2}(?::\d{2})?$",
    "card number": r"^(?:\d{4}[ -]){3}\d{4}$",
}
_PERSONAL_FORMATS = frozenset({"email", "ipv4", "phone", "iban", "card number"})
_PERSONAL = frozenset(
    {
        "email",
        "mail",
        "phone",
        "mobile",
        "telephone",
        "surname",
        "forename",
        "firstname",
        "lastname",
        "fullname",
        "username",
        "birth",
        "birthday",
        "birthdate",
        "dob",
        "ssn",
        "passport",
        "iban",
        "pan",
        "address",
        "street",
        "postcode",
        "cardholder",
        "ip",
    }
)
_PERSONAL_PAIRS = frozenset(
    {
        "first name",
        "last name",
        "full name",
        "user name",
        "customer name",
        "patient name",
        "person name",
        "zip code",
        "card number",
        "card holder",
    }
)
_SENSITIVE = frozenset({"race", "ethnicity", "religion", "diagnosis", "disability", "orientation", "health"})


def format_of(values: pl.Series) -> str | None:
    """The format that all texts of a column have; None where there is none, or no text.

    >>> format_of(pl.Series(["a@b.org", None, "c@d.net"])), format_of(pl.Series(["a@b.org", "none"]))
    ('email', None)
    """
    texts = values.drop_nulls().unique(maintain_order=True)
    if texts.is_empty():
        return None
    first = texts.head(FIRST).to_list()
    for name, pattern in FORMATS.items():
        search = re.compile(pattern).search
        if all(search(text) for text in first) and all(search(text) for text in texts[FIRST:]):
            return name
    return None


def speaks_of_a_person(values: pl.Series) -> bool:
    """Whether every text of a column is an address, a phone number or another mark of one person.

    >>> speaks_of_a_person(pl.Series(["a@b.org", "c@d.net"])), speaks_of_a_person(pl.Series(["north", "south"]))
    (True, False)
    """
    return values.dtype == pl.String and format_of(values) in _PERSONAL_FORMATS


def classified(name: str, form: str | None = None) -> str | None:
    """`pii` or `sensitive` where the name or the format of a column speaks of a person.

    >>> classified("firstName"), classified("contact", "email"), classified("race"), classified("product_name")
    ('pii', 'pii', 'sensitive', None)
    """
    words = list(_words(name))
    pairs = {" ".join(pair) for pair in pairwise(words)}
    if _SENSITIVE & set(words):
        return "sensitive"
    if form in _PERSONAL_FORMATS or _PERSONAL & set(words) or _PERSONAL_PAIRS & pairs or words == ["name"]:
        return "pii"
    return None


def names_a_key(name: str) -> bool:
    """Whether a column is called like something that identifies a row.

    >>> names_a_key("order_id"), names_a_key("orderId"), names_a_key("paid")
    (True, True, False)
    """
    words = list(_words(name))
    return bool(words) and words[-1] in ("id", "key", "uuid", "guid", "code", "number", "nr", "no", "index", "hash")


def _words(name: str) -> Iterator[str]:
    for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name):
        yield part.lower()
