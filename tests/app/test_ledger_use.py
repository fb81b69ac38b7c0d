"""`flyball ledger use`: a home whose ledger stands on a real PostgreSQL server, as its users meet it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests import postgres

from flyball.app.cli.main import run
from flyball.app.home import Home
from flyball.app.wiring.ledger import checkpoint_path, ledger_of
from flyball.core.events import Frozen
from flyball.core.ids import ServiceName

psycopg = pytest.importorskip("psycopg", reason="the extra postgres is not installed")


@pytest.fixture
def url(postgres_server: str) -> str:
    return postgres.place(postgres_server)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(tmp_path / "home")
    monkeypatch.setenv("FLYBALL_HOME", str(made.root))
    return made


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Any]]:
    """Runs a verb with --json; gives exit code and document."""

    def answer(*tokens: str) -> tuple[int, Any]:
        code = run(["ledger", *tokens, "--json"])
        return code, json.loads(capfd.readouterr().out)

    return answer


def written(home: Home, count: int) -> None:
    with ledger_of(home) as ledger:
        for number in range(1, count + 1):
            ledger.append([Frozen(service=ServiceName("fraud"), by="ann", why=f"reason {number}")])


def test_the_verbs_of_the_ledger_work_on_a_database(
    home: Home, url: str, said: Callable[..., tuple[int, Any]], tmp_path: Path
) -> None:
    assert said("use", url) == (0, {"database": str(home.database), "entries": 0, "anchored_to": 0})
    written(home, 5)
    assert not home.ledger.exists()
    code, document = said("verify")
    assert (code, document["ok"], document["events"], document["anchored_to"]) == (0, True, 5, 5)
    assert [head["source"] for head in document["heads"]] == [str(checkpoint_path(home))]
    code, document = said("tail", "--lines", "2")
    assert (code, [entry["event"]["why"] for entry in document["entries"]]) == (0, ["reason 4", "reason 5"])
    code, document = said("export", "--to", str(tmp_path / "lines"), "--checkpoint", str(tmp_path / "kept"))
    assert (code, document["entries"], document["checkpoint"]["size"]) == (0, 5, 5)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE ledger SET event = replace(event, 'ann', 'amn') WHERE seq = 3")
    code, document = said("verify")
    assert (code, document["first_bad"], "was changed" in document["reason"]) == (1, 3, True)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE ledger, ledger_layout")
    code, document = said("verify")
    assert (code, document["first_bad"], "is missing" in document["reason"]) == (1, 1, True)


def test_another_database_is_taken_only_if_it_continues_the_home_s_signed_head(
    home: Home,
    url: str,
    postgres_server: str,
    tmp_path: Path,
    said: Callable[..., tuple[int, Any]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run(["ledger", "use", url]) == 0
    written(home, 3)
    other = postgres.place(postgres_server)
    capfd.readouterr()
    assert run(["ledger", "use", other]) == 1
    assert "is not taken: the ledger is missing" in capfd.readouterr().err
    assert home.database == url
    with psycopg.connect(other) as connection:
        assert connection.execute("SELECT to_regclass('ledger')").fetchone() == (None,)  # and nothing was made there
    assert run(["ledger", "use", other, "--home", str(tmp_path / "new")]) == 0
    assert run(["ledger", "use", other]) == 1
    assert "is not taken: the end is missing" in capfd.readouterr().err
    schemas = [each.rpartition("%3D")[2] for each in (url, other)]
    with psycopg.connect(url, autocommit=True) as connection:  # the database moves: its tables, as a dump has them
        for table in ("ledger", "tip", "event_id"):
            there = f"{schemas[1]}.{table}"
            connection.execute(f"DELETE FROM {there}")
            connection.execute(f"INSERT INTO {there} SELECT * FROM {schemas[0]}.{table}")
    code, document = said("use", other)
    assert (code, document["entries"], document["anchored_to"]) == (0, 3, 3)
    assert home.database == other


def test_a_password_stays_in_one_private_file(home: Home, url: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["ledger", "use", url.replace("flyball@", "flyball:hush-hush@")]) == 0
    assert home.ledger_url.stat().st_mode & 0o777 == 0o600
    assert "hush-hush" in home.ledger_url.read_text()
    written(home, 1)
    assert run(["ledger", "verify"]) == 0
    home.ledger_url.write_text("postgresql://flyball:hush-hush@/nobodys?host=/nowhere")
    assert run(["ledger", "tail"]) == 3
    told = capfd.readouterr()
    assert "postgresql://flyball@/nobodys?host=/nowhere" in told.err
    assert "hush-hush" not in told.out + told.err


def test_a_home_with_a_ledger_of_its_own_keeps_it(home: Home, url: str, capfd: pytest.CaptureFixture[str]) -> None:
    written(home, 1)
    assert run(["ledger", "use", url]) == 2
    assert "name a new home" in capfd.readouterr().err
    assert home.database is None
    assert run(["ledger", "verify"]) == 0


def test_nothing_is_named_that_cannot_be_opened(home: Home, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["ledger", "use", "postgresql://ann@/db?host=/nowhere"]) == 3
    assert run(["ledger", "use", "ledger.db"]) == 2
    assert home.database is None


def test_a_played_world_never_writes_to_a_database(home: Home, url: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["ledger", "use", url]) == 0
    assert run(["demo"]) == 2
    assert "a home with a ledger" in capfd.readouterr().err
