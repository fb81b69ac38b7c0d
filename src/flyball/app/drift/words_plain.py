"""Numbers, names and counts as people write them."""

LARGEST = 40  # characters of a value that are shown
PLAIN_TO = 1e6  # numbers up to here are written without an exponent


def shortened(label: str) -> str:
    """A value of any length as one line that fits; what cannot be seen, such as a sign that turns the line round, is �.

    >>> shortened("a" * 100)[-3:], len(shortened("a" * 100))
    ('aa…', 40)
    """
    line = "".join(letter if letter.isprintable() else "�" for letter in " ".join(label.split())) or "(empty)"
    return line if len(line) <= LARGEST else f"{line[: LARGEST - 1]}…"


def plain(number: float) -> str:
    """Four digits, and no exponent up to a million.

    >>> plain(48_123.4), plain(24.5), plain(2.5e7)
    ('48,123', '24.5', '2.5e+07')
    """
    return f"{number:,.0f}" if 1_000 <= abs(number) <= PLAIN_TO else f"{number:.4g}"


def columns_and(count: int) -> str:
    """How many columns.

    >>> columns_and(1), columns_and(2)
    ('1 column', '2 columns')
    """
    return f"{count} column" if count == 1 else f"{count} columns"
