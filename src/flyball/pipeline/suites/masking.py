"""Text that somebody else's code has written, before it goes where nothing can be taken back: the ledger, a message."""

from flyball.pipeline.suites.detectors import DETECTORS


def masked(text: str) -> str:
    """The text with each find of the detectors replaced by its kind.

    Every e-mail address is masked, also those that are reserved for examples: here a mistake costs a word.

    >>> masked("jo@firm.org paid with 4111 1111 1111 1111")
    '[e-mail address] paid with [payment card]'
    >>> masked("ValueError: 12 rows of 4000")
    'ValueError: 12 rows of 4000'
    """
    spans: list[tuple[int, int, str]] = []
    for detector in DETECTORS:
        if detector.hint and detector.hint not in text:
            continue
        for match in detector.pattern.finditer(text):
            sure = detector.check is None or detector.kind == "e-mail address"
            if sure or (detector.check is not None and detector.check(match.group().strip())):
                spans.append((match.start(), match.end(), detector.kind))
    pieces, at = [], 0
    for start, end, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= at:
            pieces += [text[at:start], f"[{kind}]"]
        at = max(at, end)
    return "".join([*pieces, text[at:]])
