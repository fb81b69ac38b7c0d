"""What people do to a service, from the facts that carry their name: decisions that they wanted to be asked for, and
work by hand that a machine could have done."""

from flyball.control.review.past import Hand, Work
from flyball.control.state.taken import MACHINES
from flyball.core import events as e
from flyball.core.ledger import Entry


def hand_of(entry: Entry) -> Hand | None:
    """None: no person did it. What a policy did under a rule is no hand."""
    fact = entry.fact
    if getattr(fact, "proof", None) == "policy":
        return None
    told = _decided(fact) or _worked(fact)
    if told is None:
        return None
    what, work, by, about = told
    return Hand(seq=entry.seq, at=entry.at, what=what, by=by, work=work, about=about)


def _decided(fact: e.AnyFact) -> tuple[str, Work, str, str] | None:
    match fact:
        case e.ApprovalGiven(by=by, model=model):
            return "approve a rollout", "decision", by, model
        case e.ApprovalRejected(by=by, rollout=rollout):
            return "reject a rollout", "decision", by, rollout
        case e.RemedyReviewed(by=by, ticket=ticket):
            return "review a retraining", "decision", by, ticket
        case e.ExceptionRequested(by=by, release=release) | e.ExceptionConfirmed(by=by, release=release):
            return "let a failed gate pass", "decision", by, release
        case e.StepWaived(by=by, step=step):
            return "waive a step", "decision", by, step
        case e.ChampionAppointed(proof=str(), by=by, release=release):
            return "appoint a first release", "decision", by, release
        case _:
            return None


def _worked(fact: e.AnyFact) -> tuple[str, Work, str, str] | None:
    match fact:
        case e.TicketApproved(by=by, ticket=ticket):
            return "approve a retraining", "hand", by, ticket
        case e.RetrainOrdered(by=by, ticket=ticket):
            return "order a retraining", "hand", by, ticket
        case e.ReleaseRegistered(by=str(by), release=release) if by:
            return "train a release", "hand", by, release.root
        case e.RollbackOrdered(by=by):
            return "roll back", "hand", by, ""
        case e.ReleaseWanted(by=by, release=release):
            return "ask for a rollout", "hand", by, release
        case e.RolloutPaused(by=by, rollout=rollout) | e.RolloutResumed(by=by, rollout=rollout):
            return "hold a rollout or let it go on", "hand", by, rollout
        case e.StepSkipped(by=by, rollout=rollout):
            return "skip a step", "hand", by, rollout
        case e.Frozen(by=by) | e.Thawed(by=by) if by not in MACHINES:
            return "freeze or thaw", "hand", by, ""
        case _:
            return _cared(fact)


def _cared(fact: e.AnyFact) -> tuple[str, Work, str, str] | None:
    match fact:
        case e.IncidentClosed(how="person", incident=incident):
            return "close an incident", "hand", "", incident
        case e.AlertAcked(by=by, alert=alert):
            return "take an alert", "hand", by, alert
        case e.AlertsSilenced(by=by, match=match):
            return "silence alerts", "hand", by, match
        case e.BackfillDone(by=by, backfill=backfill, proof=proof) if proof != "policy":
            return "fill in a span again", "hand", by, backfill
        case e.RunbookStepDone(by=by, runbook=runbook, step=step):
            return f"{runbook}: {step}", "hand", by, f"{runbook}/{step}"
        case e.ProcessStarted(process="gateway" | "controller" as process):
            return f"start the {process}", "hand", "", ""
        case _:
            return None
