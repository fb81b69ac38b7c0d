"""What the world outside is told of an error: its class and the place in the service's code, never its message.

A message may hold whatever was in the data. The ledger has it masked, the log of the run as it was.
"""

import re

_RAISED = re.compile(r"(?:^|raised )([A-Za-z_][\w.]*)$")
_FRAME = re.compile(r'^  File "([^"/][^"]*)", line (\d+), in ([\w<>]+)$', re.MULTILINE)
_OURS = ("the training took longer than ", "the training was stopped: ", "the training process ")


def outside(error: str) -> str:
    """Class and frame; of a limit that was passed, the sentence, which is Flyball's own.

    >>> outside('the service\\'s code raised ValueError: card 17\\n  File "model.py", line 3, in train\\n    fit(x)')
    'ValueError at model.py, line 3, in train'
    >>> outside("no luck with jo@firm.org")
    'the training failed; the ledger and the log of the run say why'
    """
    first = error.partition("\n")[0]
    if first.startswith(_OURS):
        return first
    raised = _RAISED.search(first.partition(": ")[0])
    frames = _FRAME.findall(error)
    if raised is None:
        return "the training failed; the ledger and the log of the run say why"
    return raised.group(1) + ("" if not frames else " at {}, line {}, in {}".format(*frames[-1]))
