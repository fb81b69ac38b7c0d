"""Statistics per release: requests and rows, successes and failures, where the time went."""

from tests.serving.parts import CHAMPION, PREVIOUS, Told, gateway, routing, row

from flyball.serving.protocols.oip_stats import Statistics, told


def test_requests_count_once_and_rows_each() -> None:
    core = gateway()
    core.route(routing(weight=0))
    statistics = Statistics()
    for rows, ended in (([row(), row(amount="x")], 0.005), ([row(amount="x")], 0.002)):
        batch, asks = core.begin(rows, request_id="r", at=[7.0] * len(rows))
        for ask in asks:
            core.take(batch, ask, Told(CHAMPION).predict(ask.rows))
        statistics.add(core.finish(batch, ended=ended))
    champion, previous = told("shop", [CHAMPION, PREVIOUS], statistics.releases)
    assert (champion["version"], champion["last_inference"]) == ("aa01", 7000)
    assert (champion["inference_count"], champion["execution_count"]) == (1, 1)
    sums = champion["inference_stats"]
    assert sums["success"] == {"count": 1, "ns": 5_000_000}
    assert sums["fail"] == {"count": 1, "ns": 2_000_000}
    assert (sums["compute_infer"]["ns"], sums["queue"]["ns"]) == (1_000_000, 4_000_000)
    assert (previous["inference_count"], previous["last_inference"]) == (0, 0)
