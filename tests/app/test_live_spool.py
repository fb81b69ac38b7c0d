"""What a gateway leaves in its spool comes to the ledger once, whatever dies in between."""

from pathlib import Path

from flyball.adapters.messages.gateway_socket import SocketGateways, exercised
from flyball.app.home import Home
from flyball.app.wiring.ledger import open_ledger
from flyball.app.wiring.loop.live import WithSpool
from flyball.core.facts.fallback import FallbackExercised
from flyball.core.ids import ServiceName
from flyball.serving.serve.workers.spool import put_exercised


def test_a_finding_about_the_chain_is_recorded_once_also_if_the_file_outlives_it(tmp_path: Path) -> None:
    home = Home(tmp_path).made()
    spool = home.gateway("shop") / "spool"
    finding = FallbackExercised(service=ServiceName("shop"), link="rule", period=7, rows=2, answered=1, agreed=0)
    gateways, ledger = WithSpool(SocketGateways(home.socket), home), open_ledger(home)
    for _ in range(2):  # the second time is a controller that died between the append and the deletion
        put_exercised(spool, finding)
        gateways.record("shop", ledger)
        assert list(exercised(spool)) == []
    assert [entry.fact for entry in ledger.read(0, subject="shop")] == [finding]
