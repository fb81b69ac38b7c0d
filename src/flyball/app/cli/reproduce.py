"""`flyball reproduce`: run an experiment again, and say whether the same comes out."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit, progress

if TYPE_CHECKING:
    from rich.console import Group

    from flyball.app.wiring.training.reproducing import Reproduced

CODES = {"IDENTICAL": 0, "EQUIVALENT": 0, "DIVERGED": 1, "BLOCKED": 3}


def reproduce(
    digest: Annotated[str, Parameter(help="Experiment or release: its digest, or how it begins.")],
    /,
    *,
    allow: Annotated[
        Literal["env-drift"] | None, Parameter(help="Run in another environment; then at most EQUIVALENT.")
    ] = None,
    tolerance: Annotated[
        float | None, Parameter(help="Largest difference of a score or metric that still counts as equivalent.")
    ] = None,
    json: JsonFlag = False,
    home: HomeOption = None,
) -> int:
    """Rebuild a release from its digest. Exit code 0: IDENTICAL or EQUIVALENT, 1: DIVERGED, 3: BLOCKED."""
    from flyball.app.cli.acting import os_user
    from flyball.app.home import find_home
    from flyball.app.wiring.training.reproducing import reproducing

    with (
        progress(f"reproducing {digest[:24]}") as advance,
        reproducing(find_home(home), on_step=lambda step: advance(1, note=step)) as work,
    ):
        found = work.reproduce(
            digest, allow_drift=allow == "env-drift", tolerance=tolerance, by=os_user(), proof="os_user"
        )
    emit(found, as_json=json, text=lambda: _text(found))
    return CODES[found.verdict]


def _text(found: "Reproduced") -> "Group":
    from rich.console import Group
    from rich.text import Text

    from flyball.core.ids import short

    lines: list[Any] = [Text(f"{found.verdict}: {found.reason}")]
    lines.append(
        Text(f"experiment {short(found.experiment)}" + (f", release {short(found.release)}" if found.release else ""))
    )
    lines += [Text(f"missing: {words}") for words in found.missing]
    if not found.missing:
        lines += [Text(f"environment: {words}") for words in found.environment]
    lines += [Text(f"file: {words}") for words in found.files]
    if found.answers is not None and found.files:
        lines.append(
            Text(
                f"answers to {found.answers.rows} probe rows: largest difference {found.answers.max_abs_diff}, "
                f"disagreement {found.answers.disagreement:.1%}, rank correlation {found.answers.rank_correlation}"
            )
        )
    lines += [Text(f"{m.name}: {m.before} -> {m.after}") for m in found.metrics if not m.within]
    lines.append(Text("grades: " + ", ".join(f"{part} {grade}" for part, grade in found.grades.items())))
    if found.network and found.found is not None:
        lines.append(Text("network: this kernel grants no namespace, so the training could have reached one"))
    lines.append(Text(f"signed, entry {found.seq} of the ledger"))
    return Group(*lines)
