"""The numbers of other tools beside ours: computed by the tools' published rules, not by the tools.

One file a tool; each function gives their number, ours, and one sentence on the difference. `side_by_side` does it for
one column of two samples by the tool's default choices.
"""

from flyball.monitor.compat import evidently, nannyml
from flyball.monitor.compat.pair import Beside
from flyball.monitor.compat.tools import TOOLS, side_by_side

__all__ = ["TOOLS", "Beside", "evidently", "nannyml", "side_by_side"]
