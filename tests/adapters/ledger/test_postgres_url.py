"""What is shown of a URL never holds its password, whatever the password looks like."""

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flyball.adapters.ledger.postgres_url import parsed
from flyball.core.errors import BadInput

SHOWN = "postgresql://ann@db.example:5432/flyball"


def answer(text: str) -> str:
    """The URL as it is shown, or the words of the refusal."""
    try:
        return str(parsed(text))
    except BadInput as error:
        return str(error)


@given(st.text())
def test_an_encoded_password_is_carried_and_not_shown(password: str) -> None:
    text = f"postgresql://ann:{quote(password, safe='', errors='replace')}@db.example:5432/flyball"
    url = parsed(text)
    assert (url.text, url.shown, str(url)) == (text, SHOWN, SHOWN)
    assert repr(url) == f"Url(shown='{SHOWN}')"


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126)))
@example("p/a@h").via("read as a port and a database of another host")
@example("p@h").via("read as another host")
@example("p?x").via("read as an option")
@example("p#x").via("read as a fragment")
def test_a_raw_password_is_not_shown_either(password: str) -> None:
    told = answer(f"postgresql://ann:{password}@db.example:5432/flyball")
    assert told == SHOWN or "percent-encode what is special" in told
    assert f":{password}@" not in told


@given(st.text(), st.sampled_from(["password", "sslpassword"]))
def test_a_password_among_the_options_is_not_shown(password: str, option: str) -> None:
    encoded = quote(password, safe="", errors="replace")
    url = parsed(f"postgres://ann@db.example:5432/flyball?sslmode=require&{option}={encoded}")
    assert url.shown == f"{SHOWN}?sslmode=require"


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://",
        "postgresql:///flyball?host=/run/postgresql",
        "postgresql://ann@[::1]:5432/flyball",
        "postgresql://a.example:5432,b.example:5433/flyball?target_session_attrs=read-write",
        "postgresql://ann%40home@db.example/fly%2Fball?options=-csearch_path%3Dmodels",
    ],
)
def test_a_url_without_a_password_is_shown_as_it_is(text: str) -> None:
    assert str(parsed(text)) == text


@pytest.mark.parametrize(
    "text", ["", "ledger.db", "mysql://db.example/flyball", "postgresql://db.example/a/b", "postgresql:x"]
)
def test_what_is_no_url_of_a_database_says_what_one_is(text: str) -> None:
    with pytest.raises(BadInput, match="expected postgresql://user@host:port/database"):
        parsed(text)
