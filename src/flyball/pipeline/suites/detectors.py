"""Personal data and secrets in a piece of text: one pattern a kind, with its check digit where there is one.

Two strengths. A *sure* kind is told by a single place: its form is its proof (an e-mail address, a private key, an IBAN
whose remainder is right). A *weak* kind could be a number like any other (a bare run of sixteen digits passes a card's
check digit in one of ten cases): alone it is told only where most values of a column have it. Numbers of a table are
therefore only ever weak. Nothing here returns what it found: kinds and places, never the value.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flyball.pipeline.suites import checksums


@dataclass(frozen=True, kw_only=True)
class Detector:
    """How one kind is recognised."""

    kind: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool] | None = None  # over the match without blanks, dots and dashes
    weak: re.Pattern[str] | None = None  # form of a whole value that proves nothing by itself
    hint: str = ""  # what a text must hold for the pattern to be tried at all
    in_noise: re.Pattern[str] | None = None  # stricter, for text that may be chance among other bytes


def _bare(text: str) -> str:
    return re.sub(r"[\s.\-]", "", text)


def _email(text: str) -> bool:
    """Domains that are reserved for examples belong to nobody (RFC 2606)."""
    domain = text.rsplit("@", 1)[-1].lower().rstrip(".")
    reserved = ("example", "invalid", "localhost", "test", "local")
    parts = domain.split(".")
    return parts[-1] not in reserved and not (len(parts) >= 2 and parts[-2] == "example")


def _public_ip(text: str) -> bool:
    parts = [int(part) for part in text.split(".")]
    if max(parts) > 255 or parts[0] in (0, 10, 127) or parts[0] >= 224:
        return False
    return parts[:2] not in ([192, 168], [169, 254]) and not (parts[0] == 172 and 16 <= parts[1] <= 31)


def entropy(text: str) -> float:
    """Shannon entropy of the characters, bits each.

    >>> entropy("aaaa"), entropy("abcd")
    (0.0, 2.0)
    """
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values()) + 0.0


def _token(text: str) -> bool:
    """Letters of both cases and digits, mixed evenly: not a word, not a path, not a hash in hex."""
    value = text.rsplit("=", 1)[-1].rsplit(":", 1)[-1].strip("\"' ")
    mixed = all(any(test(char) for char in value) for test in (str.islower, str.isupper, str.isdigit))
    return mixed and len(value) >= 20 and entropy(value) >= 3.8


_E164 = r"\+[1-9]\d{0,2}(?:[ .\-]?\(?\d{1,4}\)?){2,5}"
_NAMED = r"(?i:secret|token|passw(?:or)?d|api[_\-]?key|credential)[\w\-]{0,20}[\"']?\s{0,3}[:=]\s{0,3}[\"']?"
_US = r"(?<![\w.\-])\(?\d{3}\)?[ \-]\d{3}-\d{4}(?![\w.\-])"
_DIGITS = r"(?<![\w.\-])(?:\d[ \-]?){12,18}\d(?![\w\-]|\.\d)"

DETECTORS: tuple[Detector, ...] = (
    Detector(
        kind="e-mail address",
        pattern=re.compile(r"(?<![\w.+\-])[\w.+\-]{1,64}@(?:[A-Za-z0-9\-]{1,63}\.){1,4}[A-Za-z]{2,24}\b"),
        check=_email,
        hint="@",
        # 200 MB of random bytes hold the pattern above 12 times, this one never
        in_noise=re.compile(r"[\w.+\-]{3,64}@(?:[a-z0-9\-]{3,63}\.){1,4}[a-z]{2,24}", re.ASCII),
    ),
    Detector(
        kind="payment card",
        pattern=re.compile(_DIGITS),
        check=lambda text: checksums.card(_bare(text)),
        weak=re.compile(r"\d{13,19}"),
    ),
    Detector(
        kind="IBAN",
        pattern=re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{2,4}){3,8}(?!\w)"),
        check=lambda text: checksums.iban(_bare(text)),
    ),
    Detector(
        kind="phone number",
        pattern=re.compile(rf"(?<![\w+]){_E164}(?!\w)|{_US}"),
        check=lambda text: 9 <= sum(map(str.isdigit, text)) <= 15,
    ),
    Detector(
        kind="public IP address",
        pattern=re.compile(r"(?<![\w.\-])(?:\d{1,3}\.){3}\d{1,3}(?![\w.\-])"),
        check=_public_ip,
        hint=".",
    ),
    Detector(
        kind="US social security number",
        pattern=re.compile(r"(?<![\w\-])\d{3}-\d{2}-\d{4}(?![\w\-])"),
        check=lambda text: checksums.us_ssn(_bare(text)),
        hint="-",
    ),
    Detector(
        kind="Spanish DNI",
        pattern=re.compile(r"(?<!\w)\d{8}-?[A-HJ-NP-TV-Z](?!\w)"),
        check=lambda text: checksums.es_dni(_bare(text)),
        weak=re.compile(r"\d{8}[A-Z]"),
    ),
    Detector(
        kind="Italian tax code",
        pattern=re.compile(r"(?<!\w)[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z](?!\w)"),
        check=checksums.it_codice_fiscale,
    ),
    Detector(kind="Polish PESEL", pattern=re.compile(r"(?!)"), check=checksums.pl_pesel, weak=re.compile(r"\d{11}")),
    Detector(kind="Dutch BSN", pattern=re.compile(r"(?!)"), check=checksums.nl_bsn, weak=re.compile(r"\d{9}")),
    Detector(
        kind="NHS number",
        pattern=re.compile(r"(?<![\w\-])\d{3} \d{3} \d{4}(?![\w\-])"),
        check=lambda text: checksums.gb_nhs(_bare(text)),
        weak=re.compile(r"\d{10}"),
    ),
    Detector(kind="AWS access key", pattern=re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])")),
    Detector(kind="Google API key", pattern=re.compile(r"(?<!\w)AIza[\w\-]{35}(?![\w\-])"), hint="AIza"),
    Detector(kind="GitHub token", pattern=re.compile(r"(?<!\w)(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{60,})")),
    Detector(kind="Slack token", pattern=re.compile(r"(?<!\w)xox[abprs]-[A-Za-z0-9\-]{10,}"), hint="xox"),
    Detector(kind="Azure storage key", pattern=re.compile(r"AccountKey=[A-Za-z0-9+/]{60,}={0,2}"), hint="AccountKey="),
    Detector(kind="private key", pattern=re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"), hint="PRIVATE KEY"),
    Detector(kind="JSON web token", pattern=re.compile(r"(?<!\w)eyJ[\w\-]{8,}\.eyJ[\w\-]{8,}\.[\w\-]{8,}"), hint="eyJ"),
    Detector(
        kind="password in an address",
        pattern=re.compile(r"\b[a-z][a-z0-9+.\-]{1,20}://[^\s:/@\"'{}$<>]{1,64}:[^\s/@\"'{}$<>]{3,64}@"),
        hint="://",
    ),
    Detector(kind="secret token", pattern=re.compile(_NAMED + r"[A-Za-z0-9+/_\-]{20,200}"), check=_token),
)


def kinds(text: str, *, noise: bool = False) -> Iterator[tuple[str, int]]:
    """(kind, place) of every sure find: the place is the character at which it begins.

    Args: noise: the text is a run of printable bytes among others, so that a short find may be chance.

    >>> list(kinds("write to jo@firm.org")), list(kinds("paid with 4111 1111 1111 1111"))
    ([('e-mail address', 9)], [('payment card', 10)])
    >>> list(kinds("order 4111111111111112, 12.50 of 3000000000000")), list(kinds("q@x.Kd", noise=True))
    ([], [])
    """
    for detector in DETECTORS:
        if detector.hint and detector.hint not in text:
            continue
        for match in detector.pattern.finditer(text):
            if noise and detector.in_noise is not None and not detector.in_noise.fullmatch(match.group()):
                continue
            if detector.check is None or detector.check(match.group().strip()):
                yield detector.kind, match.start()


def weak_kind(value: str) -> tuple[str, ...]:
    """Kinds that the whole value could be, by form and check digit; it proves nothing alone.

    >>> weak_kind("4111111111111111"), weak_kind("12")
    (('payment card',), ())
    """
    return tuple(
        one.kind
        for one in DETECTORS
        if one.weak is not None and one.weak.fullmatch(value) and one.check is not None and one.check(value)
    )
