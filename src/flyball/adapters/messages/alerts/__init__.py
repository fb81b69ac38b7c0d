"""Alerts in the words of whoever is told: one file a vendor, each a translation of `core.notice.Notice`."""
