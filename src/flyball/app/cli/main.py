"""The table of verbs and the one place where an error becomes an exit code (`docs/reference/exit-codes.md`)."""

import difflib
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from keyword import iskeyword

from cyclopts import App, CycloptsError

from flyball.app.cli.door import report_error, wants_json
from flyball.core.errors import BadInput, Fault, FlyballError

TRACEBACK_VARIABLE = "FLYBALL_TRACEBACK"
INTERRUPTED = 130  # 128 + SIGINT, as shells say it
PIPE_CLOSED = 141  # 128 + SIGPIPE: the reader has left, nobody is told

VERBS: dict[str, str] = {
    "init": "Write a service folder that can be checked and trained at once, from a table and its label.",
    "check": "Check a service declaration, its data contract and the data.",
    "contract": "Lint, check, compare or draft a data contract.",
    "schema": "Print the JSON Schema of service.yaml for editors.",
    "train": "Train, judge, sign and register a release.",
    "runs": "List, show or compare the runs of trainings.",
    "drift": "Have the columns of one table moved away from those of another? No service needed.",
    "diff": "What differs between two experiments, releases or snapshots, in words.",
    "reproduce": "Run an experiment again, and say whether the same comes out.",
    "lineage": "From one answer to its training bytes, and back.",
    "import": "Bring a model that was logged elsewhere into a service.",
    "gc": "Delete what no release that is kept needs.",
    "serve": "Answer requests: the gateway.",
    "api": "Ask where rollouts stand, over HTTP: verdicts for Argo Rollouts and Flagger, words of people.",
    "keys": "Make, list and drop the API keys of a gateway.",
    "up": "Run gateway and controller of one or more services.",
    "demo": "See the whole loop work in two minutes.",
    "replay": "Would a governed service have done better on a recorded stream?",
    "backtest": "What would other policies have done on the recorded past?",
    "rehearse": "Does the loop keep its promises, in a simulated week in which things break?",
    "drill": "Break a service on purpose, on a bounded share of traffic, and measure how it heals.",
    "backup": "Lay a home aside while its services run.",
    "restore": "Lay a backup back into a new home, and verify it.",
    "status": "Who serves what, and what is waiting for whom.",
    "monitor": "What the monitor saw, window by window, and how well it sees.",
    "slo": "Objectives and error budgets: where they stand, and what other tools are told of them.",
    "predictions": "Ask the prediction log: rows by SQL, or one with its shadow pair and its label.",
    "ab": "A/B tests: several releases beside the champion, compared at weights that you set.",
    "rollout": "The rollout of a service: plan it, see it, hold it, let it go on, take it back, try again.",
    "digest": "Write up what happened to a service in a week, a month or a quarter.",
    "ready": "Is a service ready for production? The checklist, from facts.",
    "maturity": "The ML Test Score and the level of a service, each point with the fact that shows it.",
    "scorecard": "How well a service was run over a span, from its facts, against its targets.",
    "retrain": "Have a service trained again on what it has seen, now.",
    "review": "Say what a retraining was worth: good, harmful or useless.",
    "exception": "Let a failed gate pass, by two people, for one release and a short time.",
    "approve": "Approve the rollout that waits.",
    "reject": "Reject the rollout that waits.",
    "rollback": "Send a service back to its previous release.",
    "alerts": "Who is told what is wrong, who has it, and what nobody wants to hear for a while.",
    "freeze": "Stop every automatic action of a service but rollback.",
    "thaw": "End a freeze.",
    "explain": "Why something did or did not happen, from the ledger alone.",
    "backfill": "After a repair: make features, labels and counts of a span again.",
    "incident": "What was wrong, how it went, that it is over, and what is learned from it.",
    "runbook": "What to do about an incident, step by step: looked at, checked, or run.",
    "ledger": "Verify, follow or export the ledger.",
    "events": "What receivers outside were told, what waits, and telling it again.",
}
_WITH_VERBS_OF_THEIR_OWN = (
    *("ab", "alerts", "contract", "events", "exception", "incident"),
    *("keys", "ledger", "monitor", "predictions", "rollout", "runbook"),
    *("runs", "slo"),
)


def main(tokens: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    raise SystemExit(run(sys.argv[1:] if tokens is None else list(tokens)))


def run(tokens: Sequence[str]) -> int:
    """Run one command and return its exit code: 0 done, 1 no, 2 bad input, 3 could not be done, 130 interrupted."""
    as_json = wants_json(tokens)
    try:
        _refuse_unknown_verb(tokens)
        result = build().__call__(tokens, print_error=False, exit_on_error=False, result_action="return_value")
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except CycloptsError as error:
        report_error(_usage(tokens, error), as_json=as_json)
        return 2
    except FlyballError as error:
        _show_traceback_if_asked()
        report_error(error, as_json=as_json)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # what is still buffered would raise again at interpreter exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except Exception as error:
        _show_traceback_if_asked()
        hint = f"this is a fault of Flyball; {TRACEBACK_VARIABLE}=1 shows the traceback"
        report_error(FlyballError(f"{type(error).__name__}: {error}", hint=hint), as_json=as_json)
        return FlyballError.exit_code


def build() -> App:
    """The tree of verbs; each is a string, imported when it is run."""
    app = App(
        name="flyball",
        help="The governor for machine learning in production.",
        version=lambda: version("flyball"),
        help_on_error=False,
        suppress_keyboard_interrupt=False,  # `run` gives it its exit code
    )
    for verb, summary in VERBS.items():
        module = f"{verb}_" if iskeyword(verb) else verb
        attribute = "app" if verb in _WITH_VERBS_OF_THEIR_OWN else module
        app.command(f"flyball.app.cli.{module}:{attribute}", name=verb, help=summary)
    return app


def _refuse_unknown_verb(tokens: Sequence[str]) -> None:
    """Said here and not by cyclopts, whose message would import every verb to look for similar names."""
    if not tokens or tokens[0].startswith("-") or tokens[0] in VERBS:
        return
    near = difflib.get_close_matches(tokens[0], VERBS, n=1)
    fix = f"did you mean {near[0]}?" if near else "flyball --help lists the verbs"
    fault = Fault(where="command line", path="flyball", expected="a verb", found=tokens[0], fix=fix)
    raise BadInput("The command line is faulty.", (fault,))


def _usage(tokens: Sequence[str], error: CycloptsError) -> BadInput:
    verb = next((token for token in tokens if token in VERBS), "")
    fault = Fault(
        where="command line",
        path=f"flyball {verb}".rstrip(),
        expected="valid options",
        found=" ".join(str(error).split()),
    )
    return BadInput("The command line is faulty.", (fault,), hint=f"flyball {verb} --help".replace("  ", " "))


def _show_traceback_if_asked() -> None:
    if os.environ.get(TRACEBACK_VARIABLE):
        import traceback

        traceback.print_exc()
