"""The journal of this process: one, as its standard error is one."""

import sys

from flyball.adapters.clock import SystemClock
from flyball.serving.serve.journal import Journal

JOURNAL = Journal(lambda text: sys.stderr.write(text), SystemClock().now)
