"""A trained release on its way into the registry: signed, stored, told to the ledger; champion where there is none."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from flyball.adapters.content import signing
from flyball.app.wiring.history import History
from flyball.app.wiring.stores.releases import ReleaseStore, check_root
from flyball.core.codec import canonical
from flyball.core.events import AnyFact, ChampionAppointed, GatesJudged, ReleaseRegistered
from flyball.core.ids import Ids
from flyball.core.ledger import Ledger
from flyball.core.release import Release
from flyball.core.service import Service
from flyball.pipeline.inputs import Inputs
from flyball.pipeline.packing import EXPERIMENT, INPUTS


class Key(Protocol):
    @property
    def path(self) -> Path: ...


class Registrar:
    """Steps sign, gate and register. Each may be done again and changes nothing then."""

    def __init__(self, ledger: Ledger, history: History, releases: ReleaseStore, key: Key, ids: Ids) -> None:
        self._ledger, self._history, self._releases = ledger, history, releases
        self._key, self._ids = key, ids

    def store(self, output: Path, release: Release, inputs: Inputs) -> None:
        """Sign the folder and move it to its place.

        Raises: Untrusted: its bytes are not those of its root.
        """
        check_root(output, release.root)
        (output / EXPERIMENT).write_bytes(canonical(inputs.experiment))
        (output / INPUTS).write_bytes(msgspec.json.encode(inputs))
        signing.sign(output, self._key.path)
        self._releases.put(output, release.root)

    def register(self, release: Release, ticket: str | None, finished: Sequence[AnyFact], *, by: str = "") -> None:
        """Release, judgement and the end of the run in one transaction; writing them again does nothing."""
        facts = (
            ReleaseRegistered(
                service=release.service,
                release=release,
                ticket=ticket,
                signature=signing.signature(self._releases.folder(release.root)),
                by=by,
            ),
            GatesJudged(service=release.service, release=release.root, passed=release.passed, results=release.gates),
        )
        # the service is in the name: another one may train the same experiment in this home
        name = f"{release.service}:{release.experiment}:{release.root}"
        known = [f"registered:{name}", f"judged:{name}"]
        self._ledger.append([*finished, *facts], ids=[*(self._ids.new("fact") for _ in finished), *known])

    def appoint_first(self, service: Service, release: Release) -> None:
        """With no champion, a release that passed its gates becomes it, where the policy says auto.

        Raises: Conflict: somebody wrote about the service at this moment; run again.
        """
        known = self._history.registry(release.service)
        ready = release.root in known.releases and known.releases[release.root].stage == "qualified"
        if known.champion is None and ready and service.autonomy.first == "auto":
            fact = ChampionAppointed(service=release.service, release=release.root, previous=None, rubber_stamped=True)
            self._ledger.append([fact], expected=known.seq)
