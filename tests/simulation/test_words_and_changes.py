"""A scenario file may say what people do and what the service is to be; what it says wrongly is told with the rest."""

from pathlib import Path

import pytest
from tests.examples.streams import EXAMPLES

from flyball.app.rehearse.scenario import parse
from flyball.app.wiring.rehearse.cast import read
from flyball.core.errors import BadInput

SERVICE = (EXAMPLES / "car_loan" / "service.yaml").resolve()


def test_words_have_their_times_and_changes_are_laid_over_the_service(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(
        f"service: {SERVICE}\n"
        "words: [{at: 2h, say: pause}, {at: 3h, say: except, by: loan-lead, lasts_s: 10m}]\n"
        "changes: {retrain: {cooldown_s: 2d, pressure: {}}, data: {key: null}}\n"
    )
    cast = read(file)
    assert [(word.at, word.say, word.lasts_s) for word in cast.scenario.words] == [
        (7200.0, "pause", None),
        (10_800.0, "except", 600.0),
    ]
    assert cast.service.retrain.cooldown_s == 2 * 86_400
    assert cast.service.retrain.pressure is not None
    assert cast.service.retrain.window_rows == 10_000  # as in the file
    assert cast.service.data.label_window_s == cast.scenario.label_delay_s


def test_every_fault_of_words_is_told_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        parse("days: 1\nwords:\n  - {at: 2d, say: pause}\n  - {at: 1h, say: shout}\n  - {say: resume}\n")
    told = sorted(fault.path for fault in caught.value.faults)
    assert [path for path in told if "words" in path] == told
    assert len(told) == 3


def test_changes_that_make_no_service_are_a_fault_of_the_scenario(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(f"service: {SERVICE}\nchanges: {{monitor: {{window_rows: 0}}, retrain: {{cooldown: 3}}}}\n")
    with pytest.raises(BadInput) as caught:
        read(file)
    paths = {fault.path for fault in caught.value.faults}
    assert any("window_rows" in path for path in paths)
    assert any("cooldown" in path for path in paths)
