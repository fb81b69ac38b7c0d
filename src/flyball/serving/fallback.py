"""Who answers when the assigned arm does not: the chain of `serving.fallback`, as pure decisions."""

from flyball.core.ids import ReleaseRoot
from flyball.core.prediction import Answer, ArmName
from flyball.core.routing import Routing
from flyball.core.service import ConstantFallback, Serving

PREVIOUS = "previous"
CONSTANT = "constant"


def stand_ins(serving: Serving, routing: Routing, arm: ArmName) -> tuple[ReleaseRoot, ...]:
    """Releases that may be asked in place of an arm, in order.

    The link `previous` means the release that the arm is to replace: for a candidate the champion, then the champion's
    own predecessor; for the champion its predecessor, where one is kept warm.
    """
    if PREVIOUS not in serving.fallback:
        return ()
    own = routing.candidate if arm == "candidate" else routing.champion
    chain = (routing.champion, routing.previous) if arm == "candidate" else (routing.previous,)
    return tuple(root for root in chain if root is not None and root != own)


def constant(serving: Serving) -> Answer | None:
    """The answer of the last link, where one is declared.

    >>> from flyball.core.service import Constant
    >>> constant(Serving(fallback=(ConstantFallback(constant=Constant(prediction=0, score=0.0)),))).score
    0.0
    """
    for link in serving.fallback:
        if isinstance(link, ConstantFallback):
            given = link.constant
            return Answer(prediction=given.prediction, score=given.score, scores=given.scores)
    return None
