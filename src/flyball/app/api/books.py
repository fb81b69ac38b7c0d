"""What the API knows: the ledger's services, folded as far as it was read, and the questions that are asked of them."""

from collections.abc import Collection

from flyball.app.alert_list import AlertList, Newest, standing
from flyball.app.api.endings import Endings
from flyball.app.api.judgement import Judgement, judgement
from flyball.app.rollout_standing import RolloutStanding, rollout_standing
from flyball.app.subjects import Reading
from flyball.control.state.service_state import ServiceState
from flyball.core.errors import NotFound
from flyball.core.ledger import Ledger


class Books:
    """Of one ledger; of one thread at a time. Each question reads what is new first."""

    def __init__(self, ledger: Ledger, only: Collection[str] = (), newest: Newest = lambda _: {}) -> None:
        """`only`: services that are answered for; empty: every one of the ledger. `newest`: figures of alerts now."""
        self._ledger, self._only, self._newest = ledger, frozenset(only), newest
        self._reading, self._endings, self._seq = Reading(ledger), Endings(), 0

    def services(self) -> tuple[str, ...]:
        """Those that are answered for and are on the ledger now."""
        return tuple(sorted(name for name in self._reading.states() if not self._only or name in self._only))

    def standing(self, service: str) -> RolloutStanding:
        """Raises: NotFound."""
        return rollout_standing(self._state(service), self._reading.declaration(service))

    def verdict(self, service: str, release: str | None = None) -> Judgement:
        """Raises: NotFound: no such service, or no such release of it."""
        state = self._state(service)
        for entry in self._ledger.read(self._seq):
            self._endings.add(entry)
            self._seq = entry.seq
        return judgement(state, self._endings.of(state.service), release)

    def alerts(self, service: str) -> AlertList:
        """Raises: NotFound."""
        return standing([self._state(service)], self._newest)

    def known(self, service: str) -> None:
        """Raises: NotFound: it is none of ours. A rollout, ticket or release is no service here."""
        self._state(service)

    def _state(self, service: str) -> ServiceState:
        states = self._reading.states()
        if self._only and service not in self._only:
            raise NotFound(f"no service is called {service!r}", hint=f"services: {', '.join(sorted(self._only))}")
        self._reading.declaration(service)
        return states[service]
