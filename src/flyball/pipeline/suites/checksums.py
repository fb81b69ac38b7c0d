"""Check digits: what makes a run of digits a payment card, an account or a national number, and not an amount or an id.

Each function takes the bare characters, without blanks and dashes.
"""

_BRANDS = (  # (first and last prefix, lengths): what card networks issue
    ("4", "4", (13, 16, 19)),
    ("51", "55", (16,)),
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),
    ("37", "37", (15,)),
    ("6011", "6011", (16, 19)),
    ("644", "659", (16, 19)),
    ("3528", "3589", (16, 19)),
    ("300", "305", (14,)),
    ("36", "36", (14,)),
)
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "BR": 29, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18,
    "EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26,
    "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25,
    "RO": 24, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "TR": 26,
}  # fmt: skip


def luhn(digits: str) -> bool:
    """Check digit of cards and of several national numbers. Source: ISO/IEC 7812-1, annex B.

    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def card(digits: str) -> bool:
    """A number that a card network could have issued: prefix, length and check digit.

    >>> card("5500000000000004"), card("1234567890123452")
    (True, False)
    """
    if len(set(digits)) < 3 and not digits.startswith(("4", "5")):
        return False
    known = any(first <= digits[: len(first)] <= last and len(digits) in lengths for first, last, lengths in _BRANDS)
    return known and luhn(digits)


def iban(text: str) -> bool:
    """Length of the country and remainder 1 of 97. Source: ISO 13616-1.

    >>> iban("GB82WEST12345698765432"), iban("GB82WEST12345698765433")
    (True, False)
    """
    text = text.upper()
    if _IBAN_LENGTHS.get(text[:2]) != len(text) or not text.isalnum():
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


def us_ssn(digits: str) -> bool:
    """A US social security number that may exist; there is no check digit, so the written form has to be right too.

    >>> us_ssn("078051120"), us_ssn("666051120")
    (True, False)
    """
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def es_dni(text: str) -> bool:
    """Spanish DNI: eight digits and the letter of their remainder of 23.

    >>> es_dni("12345678Z"), es_dni("12345678A")
    (True, False)
    """
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(text[:8]) % 23] == text[8].upper()


def it_codice_fiscale(text: str) -> bool:
    """Italian tax code: check letter over sixteen characters. Source: D.M. 23 December 1976.

    >>> it_codice_fiscale("RSSMRA85T10A562S"), it_codice_fiscale("RSSMRA85T10A562T")
    (True, False)
    """
    odd = "BAKPLCQDREVOSFTGUHMINJWZYX"
    total = 0
    for place, char in enumerate(text[:15].upper(), start=1):
        value = int(char) if char.isdigit() else ord(char) - ord("A")
        total += odd.index(chr(ord("A") + value)) if place % 2 else value
    return chr(ord("A") + total % 26) == text[15].upper()


def pl_pesel(digits: str) -> bool:
    """Polish PESEL: a birth date and a weighted check digit.

    >>> pl_pesel("44051401359"), pl_pesel("44051401358")
    (True, False)
    """
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
    day, month = int(digits[4:6]), int(digits[2:4]) % 20
    return (
        1 <= month <= 12 and 1 <= day <= 31 and sum(w * int(d) for w, d in zip(weights, digits, strict=True)) % 10 == 0
    )


def nl_bsn(digits: str) -> bool:
    """Dutch BSN: the eleven test.

    >>> nl_bsn("111222333"), nl_bsn("111222334")
    (True, False)
    """
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return digits != "000000000" and sum(w * int(d) for w, d in zip(weights, digits, strict=True)) % 11 == 0


def gb_nhs(digits: str) -> bool:
    """NHS number: modulus 11 over ten digits.

    >>> gb_nhs("9434765919"), gb_nhs("9434765918")
    (True, False)
    """
    rest = 11 - sum((10 - place) * int(digit) for place, digit in enumerate(digits[:9])) % 11
    return rest != 10 and rest % 11 == int(digits[9])
