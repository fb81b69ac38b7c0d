"""How many rows of a service its gateway has counted, out of what it shows to Prometheus."""

from prometheus_client.parser import text_string_to_metric_families

FAMILY = "flyball_rows"  # a counter: its sample ends in `_total`


def rows_counted(exposition: str, service: str) -> float:
    """Over all arms and outcomes; 0 where the service is not in it. Args: exposition: in Prometheus' text format.

    >>> shown = '''# TYPE flyball_rows_total counter
    ... flyball_rows_total{arm="champion",outcome="answered",service="fraud"} 160.0
    ... flyball_rows_total{arm="none",outcome="shed",service="fraud"} 2.0
    ... flyball_rows_total{arm="none",outcome="shed",service="other"} 7.0
    ... '''
    >>> rows_counted(shown, "fraud")
    162.0
    """
    samples = [each for family in text_string_to_metric_families(exposition) for each in family.samples]
    return sum(
        each.value for each in samples if each.name == f"{FAMILY}_total" and each.labels.get("service") == service
    )
