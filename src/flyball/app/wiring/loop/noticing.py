"""Notices that the code of a service folder is another than the code that was trained last, and says so as a message.

What was trained last stands on the ledger (`training.started` names the code). The message is named by both, so it is
written once however often it is noticed, also by a controller that starts anew; an older code again is news.
"""

from collections.abc import Callable

from flyball.adapters.training import vcs
from flyball.app.declared import Declared, code_names
from flyball.core import events as e
from flyball.core.errors import BadInput
from flyball.core.ids import ServiceName, short
from flyball.core.ledger import Ledger
from flyball.pipeline.manifest import of_bytes

EVERY_S = 5.0

Stamp = tuple[tuple[str, int, int], ...]  # name, time of change in ns, bytes


class CodeNotice:
    """One service. It listens where the policy does (`commit` among `retrain.triggers`)."""

    def __init__(self, declared: Declared, read: Callable[[], Declared], ledger: Ledger) -> None:
        """`read`: the folder as it is now."""
        self._declared, self._read, self._ledger = declared, read, ledger
        self._name = ServiceName(declared.service.metadata.name)
        self._listens = "commit" in declared.service.retrain.triggers
        self._seq = 0
        self._trained: e.TrainingStarted | None = None  # the newest whose code is known
        self._seen: tuple[Stamp, str] | None = None  # the folder as it was read last, and the training of that moment
        self._due_s = 0.0

    def look(self, now_s: float) -> None:
        """Look again where it is time. A file that is being written is looked at the next time.

        Args: now_s: monotonic seconds.
        """
        if not self._listens or now_s < self._due_s:
            return
        self._due_s = now_s + EVERY_S
        self._catch_up()
        if self._trained is None:
            return
        stamp = self._stamp()
        if self._seen == (stamp, self._trained.run):
            return
        try:
            code = self._read().code
        except BadInput:
            return
        root = of_bytes({path: text.encode() for path, text in code.items()}).root
        if root != self._trained.code:
            self._tell(root, self._trained)
        self._seen = stamp, self._trained.run  # not before it is written: a full disk would have swallowed it

    def _catch_up(self) -> None:
        for entry in self._ledger.read(self._seq, subject=self._name):
            self._seq = entry.seq
            if isinstance(entry.fact, e.TrainingStarted) and entry.fact.code is not None:
                self._trained = entry.fact

    def _stamp(self) -> Stamp:
        folder = self._declared.folder
        found = []
        for name in code_names(folder, self._declared.service):
            try:
                stat = (folder / name).stat()
            except OSError:
                continue
            found.append((name, stat.st_mtime_ns, stat.st_size))
        return tuple(found)

    def _tell(self, root: str, trained: e.TrainingStarted) -> None:
        observed = vcs.state(self._declared.folder)
        where = "" if observed is None else f", commit {observed[0][:12]}" + (" and changes" if observed[1] else "")
        received = e.TriggerReceived(
            service=self._name,
            source="commit",
            reference=f"code {short(root)}{where}",
            key=f"{trained.run}/{root}",
            by="controller",
            proof="policy",
            why="the folder holds other code than was trained last",
        )
        self._ledger.append([received], ids=[f"trigger/{self._name}/commit/{received.key}"])
