"""What the keys of `experiment.tests` mean, for the schema and the reference page."""

TESTED: dict[str, dict[str, str]] = {
    "Fairness": {
        "attributes": "Columns whose groups are compared; they need not be inputs of the model.",
        "max_difference": "Largest difference between groups: demographic parity and equalised odds.",
    },
    "ModelTests": {
        "slices": "Columns whose groups get metrics of their own.",
        "min_support": "Rows below which a group is not judged.",
        "fairness": "Groups that must be treated alike.",
        "monotone": "Input -> how the score moves with it.",
        "invariant": "Inputs that must not change the answer.",
        "golden": "Table of inputs with the expected `prediction`, beside this file.",
        "off_policy": "A log of actions taken by chance, on which the candidate must be worth no less.",
        "backtest_windows": "Time windows of the backtest.",
        "personal": "What personal data or secrets in samples, logs, plots or model files do to a release.",
    },
    "OffPolicyTest": {
        "log": "The `.csv` or `.parquet` beside this file, with the model's inputs and the columns below.",
        "action": "Column: what was done, in the words of the label.",
        "propensity": "Column: the probability with which it was done, above 0, at most 1.",
        "reward": "Column: what followed, a number; higher is better.",
        "unit": "Column: whose rows belong together, such as a user.",
        "max_loss": "Tolerated below what was logged, in the unit of the reward or as `2%` of its mean.",
        "estimator": "Doubly robust, self-normalised or plain inverse propensities.",
    },
}
