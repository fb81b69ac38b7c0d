"""The service's own `train()`, called directly on rows: what a schedule without a governor would do."""

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from flyball.adapters.models.code import import_code
from flyball.app.declared import Declared
from flyball.core.codec import digest
from flyball.core.model import Model, classes_of
from flyball.pipeline.seed import seed_of


def refitter(declared: Declared, first: Model) -> Callable[[pl.DataFrame], Model]:
    """Fits on all rows that it is given, with the declared configuration and seed; facts as of the first model."""
    experiment, label = declared.service.experiment, declared.service.data.label
    code = import_code(str(declared.folder), digest("flyball/peer/v1", declared.code), experiment.module)
    facts = first.facts

    def fit(rows: pl.DataFrame) -> Model:
        usable = rows.filter(pl.col(label).is_not_null())
        model = replace(first, make_features=code.features)
        made = model.features(usable.select([column.name for column in facts.inputs]))
        parent = {"parent": None} if experiment.warm_start else {}  # a peer without a governor knows no champion
        estimator = code.train(
            made, usable[label], config=dict(experiment.config), seed=seed_of(experiment.seed), **parent
        )
        classes = classes_of(estimator, usable[label]) if hasattr(estimator, "classes_") else facts.classes
        if facts.classes and classes != facts.classes:
            raise ValueError(f"the window holds the classes {classes}, the first release knew {facts.classes}")
        return replace(model, estimator=estimator)

    return fit
