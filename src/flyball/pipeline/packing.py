"""Names inside a release folder or a training's sources, and which files stand beside the root instead of under it."""

CODE = "code"
CONTRACT = "contract.yaml"
BASELINES = "baselines"  # of the sources: tables that the contract compares with
MANIFEST = "manifest.json"
METRICS = "metrics.json"
BASELINE = "baseline.json"
SIGNATURE = "model.sig"
EXPERIMENT = "experiment.json"
INPUTS = "inputs.json"
EVIDENCE = "evidence.json"
CARD = "card.md"
TIMINGS = "timings.json"

# they point to the root, or hold times: two trainings of one experiment give one root
BESIDE = frozenset({MANIFEST, SIGNATURE, EXPERIMENT, INPUTS, EVIDENCE, CARD, TIMINGS})
