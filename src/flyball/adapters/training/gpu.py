"""`core.ports.Meter` over NVML (extra `gpu`): graphics memory that a training holds. Without a card it says why not."""

from collections.abc import Sequence
from typing import Any


class Nvml:
    """Asks the driver; every way in which there is none is told, not raised: a training needs no card."""

    def __init__(self) -> None:
        self._nvml: Any = None
        self._handles: list[Any] = []
        self._told = self._open()

    @property
    def told(self) -> str:
        return self._told

    def used_mb(self, pids: Sequence[int]) -> float | None:
        """See the port."""
        if not self._handles:
            return None
        wanted, total = set(pids), 0
        try:
            for handle in self._handles:
                for process in self._nvml.nvmlDeviceGetComputeRunningProcesses(handle):
                    if process.pid in wanted and process.usedGpuMemory is not None:
                        total += process.usedGpuMemory
        except self._nvml.NVMLError as error:
            self._told, self._handles = f"not measured: {error}", []
            return None
        return total / 1e6

    def _open(self) -> str:
        try:
            import pynvml
        except ImportError:
            return "not measured: pip install flyball[gpu]"
        self._nvml = pynvml
        try:
            pynvml.nvmlInit()
            self._handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
            names = [str(pynvml.nvmlDeviceGetName(handle)) for handle in self._handles]
        except pynvml.NVMLError as error:
            return f"not measured: {error}"
        return ", ".join(names) or "not measured: no device"
