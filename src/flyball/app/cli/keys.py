"""`flyball keys new | list | drop`: the API keys of a gateway, in a file that holds their hashes only."""

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from flyball.app.cli.door import JsonFlag, emit
from flyball.core.access import EVERY, SCOPES
from flyball.core.errors import BadInput, Fault, NotFound

app = App(name="keys", help="Make, list and drop the API keys of a gateway.")
KeysOption = Annotated[Path, Parameter(name="--keys", help="The key file, named in gateway.yaml as auth.keys.")]


class NewKey(msgspec.Struct, kw_only=True):
    """A key, the only time that anybody sees it."""

    id: str
    key: str
    scopes: tuple[str, ...]
    expires: float | None


class KnownKey(msgspec.Struct, kw_only=True):
    id: str
    scopes: tuple[str, ...]
    created: float  # seconds since the epoch
    expires: float | None
    expired: bool
    rate_rps: float | None
    note: str


class KnownKeys(msgspec.Struct, kw_only=True):
    keys: tuple[KnownKey, ...]


@app.command
def new(
    *,
    scope: Annotated[str, Parameter(help="predict, labels, metrics, verdict, admin; several with commas.")],
    service: Annotated[str, Parameter(help="The service that they hold for; * is every one of the gateway.")] = EVERY,
    keys: KeysOption = Path("keys.json"),
    days: Annotated[float | None, Parameter(help="Valid for so many days; without it, until it is dropped.")] = None,
    rate_rps: Annotated[float | None, Parameter(help="Requests a second; else the gateway's limit.")] = None,
    note: Annotated[str, Parameter(help="Whose it is, for the list.")] = "",
    json: JsonFlag = False,
) -> None:
    """Make a key and print it: this once, as the file holds its hash only. A running gateway takes it by itself."""
    from flyball.app.wiring.serving.key_file import add

    scopes = _scopes(service, scope)
    faults = [
        Fault(where="command line", path=name, expected="a number above 0", found=f"{value:g}")
        for name, value in (("--days", days), ("--rate-rps", rate_rps))
        if value is not None and value <= 0
    ]
    if faults:
        raise BadInput("No key was made.", tuple(faults))
    text, entry = add(keys, scopes, days=days, rate_rps=rate_rps, note=note)
    made = NewKey(id=entry.id, key=text, scopes=entry.scopes, expires=entry.expires)
    emit(made, as_json=json, text=lambda: text)


@app.command(name="list")
def list_(*, keys: KeysOption = Path("keys.json"), json: JsonFlag = False) -> None:
    """What keys there are, and what they allow."""
    from flyball.app.wiring.serving.key_file import known

    entries, now = known(keys)
    found = tuple(
        KnownKey(
            id=entry.id,
            scopes=entry.scopes,
            created=entry.created,
            expires=entry.expires,
            expired=entry.expires is not None and now >= entry.expires,
            rate_rps=entry.rate_rps,
            note=entry.note,
        )
        for entry in entries
    )
    emit(KnownKeys(keys=found), as_json=json, text=lambda: "\n".join(_line(key) for key in found) or "no keys")


@app.command
def drop(name: str, /, *, keys: KeysOption = Path("keys.json"), json: JsonFlag = False) -> None:
    """Take a key out, by its id. A running gateway refuses it within two seconds."""
    from flyball.app.wiring.serving.key_file import remove

    if not remove(keys, name):
        raise NotFound(f"no key {name} in {keys}", hint=f"flyball keys list --keys {keys}")
    emit({"dropped": name}, as_json=json, text=lambda: f"{name} dropped")


def _scopes(service: str, text: str) -> tuple[str, ...]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    faults = [
        Fault(where="command line", path="--scope", expected=f"of {', '.join(SCOPES)}", found=word)
        for word in words
        if word not in SCOPES
    ]
    if not words:
        faults.append(Fault(where="command line", path="--scope", expected="at least one scope", found="none"))
    if faults:
        raise BadInput("No key was made.", tuple(faults))
    return tuple(f"{service}:{word}" for word in dict.fromkeys(words))


def _line(key: KnownKey) -> str:
    state = "expired" if key.expired else "valid"
    return f"{key.id}  {state}  {' '.join(key.scopes)}  {key.note}".rstrip()
