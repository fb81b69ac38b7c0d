"""MLflow's own client of a scoring server against the gateway."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.clients.served import shop
from tests.serving.stage import Stage

scoring: Any = pytest.importorskip("mlflow.pyfunc.scoring_server.client", reason="mlflow is not there")
pandas: Any = pytest.importorskip("pandas", reason="pandas is not there")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with shop(tmp_path_factory.mktemp("mlflow")) as made:
        yield made


def test_it_waits_for_the_server_and_sends_a_table(served: Stage) -> None:
    client = scoring.ScoringServerClient("127.0.0.1", served.port)
    client.ping()
    table = pandas.DataFrame({"card": ["a", "b"], "amount": [1.0, 2.0], "items": [1, None]})
    assert client.invoke(table).get_predictions(predictions_format="ndarray").tolist() == [1, 1]


def test_it_is_told_what_is_wrong(served: Stage) -> None:
    client = scoring.ScoringServerClient("127.0.0.1", served.port)
    with pytest.raises(Exception, match=r"error code 400.*row 1: amount: expected a value"):
        client.invoke(pandas.DataFrame({"card": ["a", "b"], "amount": [1.0, None]}))
