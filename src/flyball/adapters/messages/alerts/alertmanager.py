"""Notices as alerts of Prometheus Alertmanager: `POST /api/v2/alerts`.

Source: prometheus/alertmanager, api/v2/openapi.yaml (postableAlert: labels, annotations, startsAt, endsAt) and
prometheus.io/docs/alerting/latest/alerts_api. Labels identify an alert, so what changes from message to message is an
annotation. Without `endsAt` Alertmanager ends an alert by itself some minutes later; ours say when they are over. It
keeps them in memory, and expects to be told again what is open: each reminder holds for some minutes.
"""

from datetime import timedelta
from typing import Any

from flyball.core.clock import moment, timestamp
from flyball.core.notice import Notice

PATH = "/api/v2/alerts"
OPEN = timedelta(days=365)  # until it is known when an alert was over


def postable(notice: Notice, *, until: str | None = None) -> list[dict[str, Any]]:
    """One alert, as a list. That somebody took it is no news to Alertmanager: its silences are its own.

    Until: of a reminder, RFC 3339: a later end that Alertmanager knows already stands.
    """
    ends = timestamp(moment(notice.since) + OPEN) if until is None else until
    ends = notice.at if notice.event == "resolved" else ends
    annotations = {"summary": notice.summary, "description": notice.detail, "runbook": notice.runbook}
    annotations |= {"runbook_url": notice.runbook_url} if notice.runbook_url else {}
    annotations |= {"incident": notice.incident} if notice.incident else {}
    annotations |= {"to": ", ".join(notice.to), "alert": notice.alert}
    labels = {
        "alertname": notice.name,
        "service": notice.service,
        "severity": notice.urgency,
        "cause": notice.cause,
        "owner": notice.owner,
    }
    labels |= {"test": notice.alert} if notice.test else {}
    return [
        {
            "labels": {name: value for name, value in labels.items() if value},  # an empty label is none
            "annotations": {name: value for name, value in annotations.items() if value},
            "startsAt": notice.since,
            "endsAt": ends,
        }
    ]
