"""What requests say about themselves: read strictly, all faults at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.errors import BadInput
from flyball.serving.protocols.terms import DEADLINE, PLAIN, PRIORITY, PROBE, Terms, terms_of
from flyball.serving.serve.http.exchange import terms_in


@given(st.floats(0.0, 86_400_000.0), st.sampled_from(["live", "low"]), st.booleans())
def test_what_is_written_is_read(ms: float, priority: str, probe: bool) -> None:
    given_terms = terms_of({DEADLINE: repr(ms), PRIORITY: priority, PROBE: str(int(probe))}.get)
    assert given_terms == Terms(deadline_ms=ms, priority=priority, probe=probe)  # type: ignore[arg-type]


def test_a_request_that_says_nothing_has_the_plain_terms() -> None:
    assert terms_of(lambda _: None) is PLAIN


@pytest.mark.parametrize("text", ["", "soon", "-1", "nan", "inf", "1e99"])
def test_a_deadline_is_a_number_of_milliseconds(text: str) -> None:
    with pytest.raises(BadInput, match="milliseconds"):
        terms_of({DEADLINE: text}.get)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        terms_of({DEADLINE: "x", PRIORITY: "first", PROBE: "yes"}.get)
    assert [fault.path for fault in caught.value.faults] == [DEADLINE, PRIORITY, PROBE]


def test_headers_of_rules_and_a_testers_choice_are_read_and_no_others() -> None:
    scope = {"headers": [(b"x-tenant", b"acme"), (b"x-other", b"1"), (b"x-flyball-arm", b"candidate")]}
    assert terms_in(scope, frozenset({"x-tenant"})) == Terms(arm="candidate", headers={"x-tenant": "acme"})
    assert terms_in({"headers": [(b"x-other", b"1")]}, frozenset({"x-tenant"})) is PLAIN
    with pytest.raises(BadInput, match="champion, candidate or the name of an arm"):
        terms_in({"headers": [(b"x-flyball-arm", b"Mine!")]})
