"""A table in a narrow terminal, or a pipe: what is copied from it stands there whole."""

from io import StringIO

from msgspec.structs import replace
from rich.console import Console
from rich.table import Table
from tests.control.world import service

from flyball.app.slo.standing import slo_standing
from flyball.app.slo.words import page
from flyball.app.terminal_columns import Whole, whole, words
from flyball.core.declared.objectives import Objective, Slo


def printed(what: object, width: int = 80) -> str:
    console = Console(file=StringIO(), width=width, soft_wrap=True, highlight=False, markup=False)
    console.print(what)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_name_is_never_cut_and_a_sentence_loses_no_word() -> None:
    name, todo = "al-" + "0123456789abcdef" * 4, "flyball " + "word " * 30 + "metadata.people:{ada:[approver,operator]}"
    table = Table(whole("id", [name]), words("what to do"), box=None)
    table.add_row(name, todo)
    text = printed(table)
    assert name in text
    assert "…" not in text
    assert "".join(todo.split()) in "".join(text.replace(name, "").replace("what to do", "").split())


def test_sentences_are_not_left_out_where_the_other_columns_take_all_the_room() -> None:
    """Through a pipe a scorecard had no word of how its figures came to be."""
    cells, why = [letter * 30 for letter in "abc"], "0 of 24591 rows got no answer; for 14 s (once) no gateway answered"
    table = Whole(*(whole("", [cell]) for cell in cells), words("how"), box=None)
    table.add_row(*cells, why)
    text = printed(table)
    assert "how" in text
    assert all(word in text for word in (*cells, *why.split()))


def test_the_figures_of_every_objective_stand_whole_in_a_pipe() -> None:
    names = [f"objective-of-the-{number}-thousandth-customer-in-the-north" for number in range(2)]
    declared = replace(
        service(), slo=Slo(objectives=tuple(Objective(name=name, sli="availability", target=0.99912) for name in names))
    )
    text = printed(page(slo_standing(declared, None, None)))
    assert all(name in text for name in names)
    assert "0.99912" in text
    assert "…" not in text
