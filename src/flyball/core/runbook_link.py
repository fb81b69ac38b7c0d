"""Where a runbook is published: the link that an alert and a rule of Prometheus carry."""

PLACE = "{runbook}"  # in an address: where the name goes; without it name and `.md` are put behind


def link(base: str, runbook: str) -> str:
    """Address of a runbook.

    >>> link("https://git.example/runbooks/", "data-drift")
    'https://git.example/runbooks/data-drift.md'
    >>> link("https://wiki.example/{runbook}", "data-drift")
    'https://wiki.example/data-drift'
    """
    return base.replace(PLACE, runbook) if PLACE in base else f"{base.rstrip('/')}/{runbook}.md"
