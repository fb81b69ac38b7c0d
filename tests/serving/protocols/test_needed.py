"""What a path needs: only probes are open, a service's routes need a scope on that service, anything else is denied."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.access import Grant
from flyball.serving.protocols.needed import needed, satisfied

OPEN = {"/", "/ping", "/livez", "/readyz", "/v2/health/live", "/v2/health/ready"}
SEGMENT = st.sampled_from(
    [
        "v1",
        "v2",
        "services",
        "models",
        "predict",
        "labels",
        "a",
        "b",
        "..",
        "",
        "infer",
        "metrics",
        "ping",
        "invocations",
    ]
)


@given(st.lists(SEGMENT, max_size=7))
def test_no_made_up_path_is_open(parts: list[str]) -> None:
    path = "/" + "/".join(parts)
    if "/" + path.strip("/") not in OPEN:
        assert needed(path) is not None


@given(st.lists(SEGMENT, max_size=6))
def test_a_grant_of_one_service_never_satisfies_a_path_of_another(rest: list[str]) -> None:
    mine = Grant(subject="key", scopes=frozenset({"a:predict", "a:labels", "a:metrics", "a:admin"}))
    for beginning in ("/v1/services/b/", "/v2/models/b/", "/v1/models/b:predict"):
        need = needed(beginning + "/".join(rest))
        assert need is not None
        assert not satisfied(need, mine)


@pytest.mark.parametrize(
    ("path", "scope", "service"),
    [
        ("/v1/services/a/predict", "predict", "a"),
        ("/v2/models/a/versions/ff/infer", "predict", "a"),
        ("/v1/labels", "labels", None),
        ("/v1/models/a:predict", "predict", "a"),
        ("/v1/services/a/invocations", "predict", "a"),
        ("/invocations", "predict", "*"),
        ("/v2", "predict", None),
        ("/metrics", "metrics", "*"),
        ("/v2/repository/models/a/load", "admin", "*"),
        ("/admin", "admin", "*"),
    ],
)
def test_each_route_needs_its_scope(path: str, scope: str, service: str | None) -> None:
    need = needed(path)
    assert need is not None
    assert (need.scope, need.service) == (scope, service)
