"""The disk of the prediction log is full: the log's own port refuses every write as a full disk does (`ENOSPC`).

To fill a real disk takes the right to mount one; so this is injected where the log asks the disk, and the row says so.
"""

from flyball.app.drills.fault import DrillFault, by_the_word

FAULT = DrillFault(
    name="disk_full",
    what="the disk of the prediction log takes nothing any more",
    share=1.0,
    told_by=("signal/capture", "health/resources"),
    inject=by_the_word,
    injected="port",
    running_s=60.0,
)
