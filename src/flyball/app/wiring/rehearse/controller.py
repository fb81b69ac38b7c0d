"""A controller process of a rehearsal: the real loop, which dies and is built again from what is durable."""

from collections.abc import Callable

from flyball.app.rehearse.faults import RESTART_S
from flyball.app.wiring.rehearse.striking import Crashed
from flyball.control.reconcile import Reconciler
from flyball.core.errors import FlyballError, LedgerBroken, Refused, Unavailable

Build = Callable[[str], Reconciler]  # owner of the leases -> a loop that remembers nothing


class ControllerProcess:
    """One controller and those that come after it under its name."""

    def __init__(
        self,
        name: str,
        build: Build,
        *,
        now_s: Callable[[], float],
        complain: Callable[[str], None],
        ticked: Callable[[Reconciler], None],
    ) -> None:
        """`complain`: told of an error that no controller may raise. `ticked`: of each tick that it survived."""
        self.name, self._build, self._now_s = name, build, now_s
        self._complain, self._ticked = complain, ticked
        self._loop: Reconciler | None = None
        self._lives = 0
        self._back_s = 0.0  # when it is there again
        self.inside = False  # a tick is under way, or stands still
        self._dying = False
        self.acted = False  # its last tick came to a plan: it lives, holds the lease, and was not overtaken

    def tick(self) -> None:
        """One round, as `wiring.loop.controller.Keeper` does it: an error is told, and the next tick tries again."""
        if self.inside or self._now_s() < self._back_s:
            return
        self.inside, self.acted = True, False
        try:
            if self._loop is None:
                self._lives += 1
                self._loop = self._build(f"{self.name}-{self._lives}")
            self.acted = self._loop.tick() is not None
            self._ticked(self._loop)
        except Crashed:
            self._dying = True
        except (Unavailable, Refused) as error:
            if isinstance(error, LedgerBroken):
                self._complain(str(error))
        except FlyballError as error:  # its own check refused the plan, or it met a command that nobody knows
            self._complain(str(error))
        except Exception as error:  # a fault of ours; the seed says how to see it again
            self._complain(f"{type(error).__name__}: {error}")
        finally:
            self.inside = False
        if self._dying:
            self.kill()

    def kill(self) -> None:
        """It will be there again in a moment. In the middle of a call that takes its time it dies behind it."""
        self._dying = self.inside
        if self._dying:
            return
        self._loop, self._back_s, self.acted = None, self._now_s() + RESTART_S, False

    def stop(self) -> None:
        """An orderly end: the lease goes back."""
        if self._loop is not None:
            self._loop.stop()
        self._loop = None
