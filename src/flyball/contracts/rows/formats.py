"""The `format` of texts and numbers: what an e-mail address, a UUID, a `u8` or an `f32` must be.

One function a format, for rows and for tables. Formats that say how a text is shown or stored (`password`, `binary`)
allow any text; one that is not known here is listed by the reader as not executed.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import AddressValueError, IPv6Address

from flyball.contracts.rows.values import LARGEST

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
PATTERNS: Mapping[str, str] = {
    "byte": r"\A(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z",  # base64
    "email": rf"\A[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*\Z",  # the rule of HTML's e-mail field
    "hostname": rf"\A{_LABEL}(?:\.{_LABEL})*\Z",
    "ipv4": rf"\A{_OCTET}(?:\.{_OCTET}){{3}}\Z",
    "uri": r"\A[A-Za-z][A-Za-z0-9+.-]*:[!#$%&'()*+,/0-9:;=?@A-Z\[\]_a-z~.-]+\Z",
    "uuid": r"\A[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z",
}
ANY_TEXT = frozenset({"binary", "password"})
TEXTS = frozenset({*PATTERNS, *ANY_TEXT, "ipv6"})
WHOLE: Mapping[str, tuple[int, int]] = {  # inclusive; integers of ours are 64 bits wide whatever is declared
    **{f"i{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32)},
    **{f"u{bits}": (0, 2**bits - 1) for bits in (8, 16, 32)},
    **dict.fromkeys(("i64", "i128"), (-LARGEST, LARGEST - 1)),
    **dict.fromkeys(("u64", "u128"), (0, LARGEST - 1)),
}
REAL: Mapping[str, float] = {  # largest finite value
    "f16": 65504.0,
    "bf16": 3.3895313892515355e38,
    "f32": 3.4028234663852886e38,
    "f64": 1.7976931348623157e308,
}


def is_text_of(name: str) -> Callable[[str], bool]:
    """Whether a text has the format.

    >>> is_text_of("email")("ann@example.org"), is_text_of("ipv6")("::1"), is_text_of("uuid")("1234")
    (True, True, False)
    """
    if name == "ipv6":
        return _is_ipv6
    if name in ANY_TEXT:
        return lambda _text: True
    search = re.compile(PATTERNS[name]).search
    return lambda text: search(text) is not None


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return "%" not in text
