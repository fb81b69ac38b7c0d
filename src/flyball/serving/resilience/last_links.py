"""The links of the fallback chain that ask nobody: an answer of before, a rule over the row, a constant."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from flyball.core.declared.serving import Case, Constant, Serving
from flyball.core.prediction import Answer
from flyball.core.row_condition import holds, typed
from flyball.serving.batch import Batch
from flyball.serving.resilience.answer_cache import AnswerCache

CACHED, RULE, CONSTANT = "cached", "rule", "constant"
OF_NO_RELEASE = frozenset({RULE, CONSTANT})  # links whose answer comes from no release at all
Link = tuple[str, Callable[[Batch, int], Answer | None]]


def last_links(serving: Serving, kinds: Mapping[str, str], cache: AnswerCache | None) -> tuple[Link, ...]:
    """Name and function of each, in the order of `serving.fallback`. `kinds` of the columns.

    >>> from flyball.core.declared.serving import FallbackLink
    >>> declared = Serving(fallback=("previous", FallbackLink(constant=Constant(prediction=0))))
    >>> [name for name, _ in last_links(declared, {}, None)]
    ['constant']
    """
    links: list[Link] = []
    for link in serving.fallback:
        if isinstance(link, str):
            if link == CACHED and cache is not None:
                links.append((CACHED, partial(_cached, cache)))
        elif link.constant is not None:
            links.append((CONSTANT, partial(_constant, answer_of(link.constant))))
        else:
            links.append((RULE, partial(_ruled, link.rule, kinds)))
    return tuple(links)


def last_answer(links: Sequence[Link], batch: Batch, place: int) -> tuple[Answer, str] | None:
    """The first answer that a link has for this row, and the link's name; None: the row stays without."""
    for name, link in links:
        answer = link(batch, place)
        if answer is not None:
            return answer, name
    return None


def by_itself(links: Sequence[Link], name: str, batch: Batch, place: int) -> Answer | None:
    """What the links of one name say, the others left out."""
    found = last_answer([link for link in links if link[0] == name], batch, place)
    return found[0] if found is not None else None


def answer_of(declared: Constant | Case) -> Answer:
    """A declared answer."""
    return Answer(prediction=declared.prediction, score=declared.score, scores=declared.scores)


def _cached(cache: AnswerCache, batch: Batch, place: int) -> Answer | None:
    """What the assigned arm's own release said about the same row."""
    return cache.get(batch.root(batch.arms[place]), batch.rows[place], batch.at[place])


def _ruled(cases: Sequence[Case], kinds: Mapping[str, str], batch: Batch, place: int) -> Answer | None:
    variables = {"row": typed(batch.rows[place], kinds)}
    return next((answer_of(case) for case in cases if holds(case.when, variables)), None)


def _constant(answer: Answer, _batch: Batch, _place: int) -> Answer:
    return answer
