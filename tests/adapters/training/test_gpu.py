"""Graphics memory through the real library: without a card its error is told, and nothing is a plausible zero."""

from types import ModuleType

import pytest

from flyball.adapters.training.gpu import Nvml


def test_without_a_card_the_reading_is_none_with_the_librarys_own_reason() -> None:
    nvml = pytest.importorskip("pynvml", reason="nvidia-ml-py is not there")
    meter = Nvml()
    assert meter.told == _told_by(nvml)
    assert (meter.used_mb([1]) is None) is meter.told.startswith("not measured")


def _told_by(nvml: ModuleType) -> str:
    try:
        nvml.nvmlInit()
        handles = [nvml.nvmlDeviceGetHandleByIndex(at) for at in range(nvml.nvmlDeviceGetCount())]
        return ", ".join(str(nvml.nvmlDeviceGetName(handle)) for handle in handles)
    except nvml.NVMLError as error:
        return f"not measured: {error}"


def test_without_the_extra_the_reading_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    assert Nvml().told == "not measured: pip install flyball[gpu]"
