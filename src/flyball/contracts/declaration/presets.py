"""Names under which people know a set of limits: `monitor.psi: psi-0.20` stands for a mapping."""

from typing import Any

PSI_PRESETS: dict[str, dict[str, float | int]] = {
    "psi-0.10-0.25x3": {"warn": 0.10, "act": 0.25, "consecutive": 3},  # the default
    "psi-0.20": {"warn": 0.20, "act": 0.20, "consecutive": 1},
}
PSI_PATH = ("monitor", "psi")


def spelled_out(data: Any) -> tuple[Any, str | None]:
    """The declaration with the preset's mapping in place of its name, and the name if it is none that is known.

    >>> spelled_out({"monitor": {"psi": "psi-0.20"}})[0]["monitor"]["psi"]["act"]
    0.2
    >>> spelled_out({"monitor": {"psi": "psi-0.3"}})
    ({'monitor': {}}, 'psi-0.3')
    """
    monitor = data.get("monitor") if isinstance(data, dict) else None
    name = monitor.get("psi") if isinstance(monitor, dict) else None
    if not isinstance(monitor, dict) or not isinstance(name, str):
        return data, None
    rest = {key: value for key, value in monitor.items() if key != "psi"}
    if name not in PSI_PRESETS:
        return {**data, "monitor": rest}, name
    return {**data, "monitor": {**rest, "psi": dict(PSI_PRESETS[name])}}, None
