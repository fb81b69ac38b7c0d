"""A duration as people say it."""


def in_words(seconds: float) -> str:
    """In the largest unit of which it is one at least.

    >>> [in_words(seconds) for seconds in (10, 90, 300, 3600, 259_200)]
    ['10 s', '1.5 min', '5 min', '1 h', '3 d']
    """
    for unit, name in ((86_400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= unit:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"
