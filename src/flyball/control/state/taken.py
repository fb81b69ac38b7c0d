"""Who did something about a service since a person was told: a page that nobody took has healed nothing."""

from flyball.core import events as e

MACHINES = ("policy", "controller", "gateway", "healing")  # names that no person has, of facts without a proof
ASIDE = (  # what people do beside it: nothing of what is wrong goes by that
    *(e.DrillBegun, e.DrillCandidate, e.DrillEnded),
    *(e.AlertsTested, e.AlertsSilenced, e.SilenceEnded),
    *(e.BackupMade, e.DigestWritten, e.ReproductionJudged),
)


def taken_by(fact: e.AnyFact) -> str:
    """The person who acknowledged, made a step or gave a command; empty: no person did anything by this.

    >>> from flyball.core.ids import ServiceName
    >>> taken_by(e.AlertAcked(service=ServiceName("s"), alert="al-1", by="ada", proof="os_user"))
    'ada'
    >>> taken_by(e.Frozen(service=ServiceName("s"), by="policy", why="-"))
    ''
    """
    if isinstance(fact, ASIDE) or getattr(fact, "proof", None) == "policy":
        return ""
    by = getattr(fact, "by", None)
    if isinstance(by, str) and by:
        return "" if by in MACHINES else by
    return "a person" if isinstance(fact, e.IncidentClosed) and fact.how == "person" else ""
