"""How well a service is, as lines on a terminal."""

from flyball.core.health import Health


def in_short(health: Health, since: str) -> str:
    """State, since when, and why where it is not well.

    >>> in_short(Health(state="DEGRADING", why="PSI of amount is 0.4"), "2026-11-27T05:00:00.000000Z")
    'DEGRADING since 2026-11-27T05:00:00Z\\nPSI of amount is 0.4'
    """
    when = f" since {since[:19]}Z" if since else ""
    return f"{health.state}{when}" + ("" if health.state == "HEALTHY" else f"\n{health.why}")


def health_lines(health: Health, since: str) -> list[str]:
    """The signs, why, and what would make it better or worse."""
    lines = [f"  health  {health.state}" + (f" since {since}" if since else "") + f": {health.why}"]
    lines += [f"  sign  {sign.key} ({sign.severity}) since {sign.since}: {sign.why}" for sign in health.signs]
    return lines + [f"  {each.replace(':', ' ', 1)}" for each in health.would_change]
