"""Fitted trees of scikit-learn as one ONNX `TreeEnsemble` in float64: the same splits, the same sums.

Why not skl2onnx here: it writes trees in float32. A value next to a split then goes the other way, behind a scaler even
ordinary rows do, and splits on categories become thresholds without a word. ONNX ML 5 has an operator with float64
inputs, splits, leaves and sums; onnxruntime adds leaves in the order of the trees, as scikit-learn does, so raw scores
come out bit for bit. One leaf feeds one output, hence a tree of k classes is written k times.

What differs between estimators is gathered into a `Forest`: trees in order, with the constant they start from, what
becomes of the sum, and the precision in which rows are compared with splits.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

LEQ, MEMBER = 0, 6  # nodes_modes of ai.onnx.ml 5: x <= split; x in a set
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Tree:
    """One tree that adds to one output; children are row numbers, -1 at a leaf."""

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int64]
    split: Numbers  # left where x <= split
    missing_left: npt.NDArray[np.bool_]
    value: Numbers  # of a leaf
    members: dict[int, tuple[Numbers, bool]] = field(default_factory=dict)  # node -> values that go left; others do too
    output: int = 0


@dataclass(frozen=True, kw_only=True)
class Forest:
    trees: list[Tree]
    outputs: int
    start: Numbers  # of each output, shape [outputs]
    link: Literal["none", "sigmoid", "softmax", "exp"] = "none"
    divide_by: int = 1
    single: bool = False  # rows are rounded to float32 before they are compared, as scikit-learn's own trees do


def forest(estimator: Any) -> Forest | str:
    """The trees of a fitted estimator, or why they cannot be written."""
    name = type(estimator).__name__
    if name.startswith("HistGradientBoosting"):
        return _histogram(estimator)
    if name.startswith("GradientBoosting"):
        return _boosted(estimator)
    if name.startswith(("RandomForest", "ExtraTrees")):
        members = list(estimator.estimators_)
    elif name.startswith("DecisionTree"):
        members = [estimator]
    else:
        return f"{name} is none of the trees that are written in float64"
    return _averaged(members, int(getattr(estimator, "n_outputs_", 1)), classifies=hasattr(estimator, "classes_"))


def nodes(forest: Forest, table: str, answer: str) -> Iterator[Any]:
    """The nodes of the graph from the float64 matrix `table` to `answer`, shape [n, outputs].

    Of two classes `answer` is the probability of the second, in one column.
    """
    from onnx import helper, numpy_helper

    rows = table
    if forest.single:
        yield helper.make_node("Cast", [table], ["trees_float32"], to=1)
        yield helper.make_node("Cast", ["trees_float32"], ["trees_rounded"], to=11)
        rows = "trees_rounded"
    yield helper.make_node("TreeEnsemble", [rows], ["trees_sum"], domain="ai.onnx.ml", **_attributes(forest))
    last = "trees_sum"
    if forest.divide_by != 1:
        count = numpy_helper.from_array(np.array(float(forest.divide_by)))
        yield helper.make_node("Constant", [], ["trees_count"], value=count)
        yield helper.make_node("Div", [last, "trees_count"], ["trees_mean"])
        last = "trees_mean"
    operator = {"none": "Identity", "sigmoid": "Sigmoid", "softmax": "Softmax", "exp": "Exp"}[forest.link]
    yield helper.make_node(operator, [last], [answer])


def _attributes(forest: Forest) -> dict[str, Any]:
    """All trees as the flat arrays that the operator wants: inner nodes and leaves are counted apart."""
    from onnx import numpy_helper

    flat = _Flat()
    for output, start in enumerate(forest.start):
        if start != 0.0:
            flat.constant(float(start), output)
    for tree in forest.trees:
        flat.add(tree)
    attributes: dict[str, Any] = {
        "n_targets": forest.outputs,
        "aggregate_function": 1,  # sum
        "post_transform": 0,
        "tree_roots": flat.roots,
        "nodes_featureids": flat.feature,
        "nodes_modes": numpy_helper.from_array(np.array(flat.mode, dtype=np.uint8)),
        "nodes_splits": numpy_helper.from_array(np.array(flat.split, dtype=np.float64)),
        "nodes_truenodeids": flat.true,
        "nodes_trueleafs": flat.true_leaf,
        "nodes_falsenodeids": flat.false,
        "nodes_falseleafs": flat.false_leaf,
        "nodes_missing_value_tracks_true": flat.missing,
        "leaf_targetids": flat.target,
        "leaf_weights": numpy_helper.from_array(np.array(flat.weight, dtype=np.float64)),
    }
    if flat.members:
        attributes["membership_values"] = numpy_helper.from_array(np.array(flat.members, dtype=np.float64))
    return attributes


class _Flat:
    """Growing arrays of the operator's attributes."""

    def __init__(self) -> None:
        self.roots: list[int] = []
        self.feature: list[int] = []
        self.mode: list[int] = []
        self.split: list[float] = []
        self.true: list[int] = []
        self.true_leaf: list[int] = []
        self.false: list[int] = []
        self.false_leaf: list[int] = []
        self.missing: list[int] = []
        self.weight: list[float] = []
        self.target: list[int] = []
        self.members: list[float] = []  # sets in the order of their nodes, NaN behind each

    def constant(self, value: float, output: int) -> None:
        """A tree that is one leaf: a node whose two ways lead there."""
        self.roots.append(len(self.feature))
        leaf = self._leaf(value, output)
        self._node(0, LEQ, 0.0, (leaf, 1), (leaf, 1), missing=0)

    def add(self, tree: Tree) -> None:
        inner = np.flatnonzero(tree.left >= 0).tolist()
        if not inner:
            self.constant(float(tree.value[0]), tree.output)
            return
        place = {row: len(self.feature) + at for at, row in enumerate(inner)}
        self.roots.append(place[0])
        left, right, feature = tree.left.tolist(), tree.right.tolist(), tree.feature.tolist()
        split, value, missing = tree.split.tolist(), tree.value.tolist(), tree.missing_left.tolist()

        def way(row: int) -> tuple[int, int]:
            return (place[row], 0) if row in place else (self._leaf(value[row], tree.output), 1)

        for row in inner:
            true, false = way(left[row]), way(right[row])
            if row not in tree.members:
                self._node(feature[row], LEQ, split[row], true, false, missing=int(missing[row]))
                continue
            members, others_left = tree.members[row]
            if others_left:  # then the set names what goes right
                true, false = false, true
            self._node(feature[row], MEMBER, 0.0, true, false, missing=0)
            self.members += [*members.tolist(), float("nan")]

    def _leaf(self, value: float, output: int) -> int:
        self.weight.append(value)
        self.target.append(output)
        return len(self.weight) - 1

    def _node(
        self, feature: int, mode: int, split: float, true: tuple[int, int], false: tuple[int, int], *, missing: int
    ) -> None:
        self.feature.append(feature)
        self.mode.append(mode)
        self.split.append(split)
        self.true.append(true[0])
        self.true_leaf.append(true[1])
        self.false.append(false[0])
        self.false_leaf.append(false[1])
        self.missing.append(missing)


def _histogram(estimator: Any) -> Forest | str:
    """HistGradientBoosting: float64 throughout; its encoder renumbers categories and moves them to the front."""
    columns, categories = _columns(estimator)
    if isinstance(categories, str):
        return categories
    link = type(estimator._loss.link).__name__
    outputs = int(estimator.n_trees_per_iteration_)
    links: dict[str, Literal["none", "sigmoid", "softmax", "exp"]] = {
        "IdentityLink": "none",
        "LogLink": "exp",
        "LogitLink": "sigmoid",
        "MultinomialLogit": "softmax",
    }
    if link not in links:
        return f"its link {link} is not one of those that are written"
    trees = [
        _histogram_tree(predictor, columns, categories, output)
        for iteration in estimator._predictors
        for output, predictor in enumerate(iteration)
    ]
    start = np.asarray(estimator._baseline_prediction, dtype=np.float64).ravel()
    return Forest(trees=trees, outputs=outputs, start=np.broadcast_to(start, (outputs,)), link=links[link])


def _columns(estimator: Any) -> tuple[npt.NDArray[np.int64], dict[int, Numbers] | str]:
    """Own column -> column of the table, and own column -> value of each category code."""
    number = int(estimator.n_features_in_)
    if getattr(estimator, "_preprocessor", None) is None:
        return np.arange(number), {}
    mask = np.asarray(estimator.is_categorical_, dtype=bool)
    columns = np.concatenate([np.flatnonzero(mask), np.flatnonzero(~mask)])
    known = estimator._preprocessor.named_transformers_["encoder"].categories_
    if any(np.asarray(values).dtype.kind not in "fiub" for values in known):
        return columns, "it takes categories that are text"
    return columns, {at: np.asarray(values, dtype=np.float64) for at, values in enumerate(known)}


def _histogram_tree(
    predictor: Any, columns: npt.NDArray[np.int64], categories: dict[int, Numbers], output: int
) -> Tree:
    rows = predictor.nodes
    leaf = rows["is_leaf"].astype(bool)
    members = {}
    for at in np.flatnonzero(rows["is_categorical"].astype(bool) & ~leaf).tolist():
        values = categories[int(rows[at]["feature_idx"])]
        bits = predictor.raw_left_cat_bitsets[int(rows[at]["bitset_idx"])]
        codes = np.arange(len(values))
        goes_left = (bits[codes // 32] >> (codes % 32).astype(bits.dtype)) & 1 == 1
        others_left = bool(rows[at]["missing_go_to_left"])  # a category it has not seen is missing to it
        chosen = values[~goes_left if others_left else goes_left]
        members[at] = (chosen[np.isfinite(chosen)], others_left)
    return Tree(
        left=np.where(leaf, -1, rows["left"].astype(np.int64)),
        right=np.where(leaf, -1, rows["right"].astype(np.int64)),
        feature=columns[np.where(leaf, 0, rows["feature_idx"].astype(np.int64))],
        split=rows["num_threshold"].astype(np.float64),
        missing_left=rows["missing_go_to_left"].astype(bool),
        value=rows["value"].astype(np.float64),
        members=members,
        output=output,
    )


def _averaged(members: list[Any], outputs: int, *, classifies: bool) -> Forest | str:
    """A forest, or a single tree: the mean of what the leaves say."""
    if outputs != 1:
        return "it predicts several columns at once"
    kept = 1
    if classifies:
        classes = int(members[0].tree_.value.shape[2])
        if classes < 2:
            return "it knows one class only"
        kept = 1 if classes == 2 else classes
    first = 1 if classifies and kept == 1 else 0  # of two classes the second alone
    trees = [_plain(one.tree_, first + at, output=at, scale=1.0) for one in members for at in range(kept)]
    return Forest(trees=trees, outputs=kept, start=np.zeros(kept), divide_by=len(members), single=True)


def _boosted(estimator: Any) -> Forest | str:
    if getattr(estimator, "init", None) not in (None, "zero"):
        return "it starts from an estimator of its own"
    if type(estimator._loss).__name__ not in (
        "HalfSquaredError", "AbsoluteError", "HuberLoss", "PinballLoss", "HalfBinomialLoss", "HalfMultinomialLoss",
    ):  # fmt: skip
        return f"its loss {type(estimator._loss).__name__} is not one of those that are written"
    start = estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), dtype=np.float32)).ravel()
    trees = [
        _plain(one.tree_, 0, output=output, scale=float(estimator.learning_rate))
        for stage in estimator.estimators_
        for output, one in enumerate(stage)
    ]
    link: Literal["none", "sigmoid", "softmax"] = "none"
    if hasattr(estimator, "classes_"):
        link = "sigmoid" if len(start) == 1 else "softmax"
    return Forest(trees=trees, outputs=len(start), start=start.astype(np.float64), link=link, single=True)


def _plain(tree: Any, column: int, *, output: int, scale: float) -> Tree:
    return Tree(
        left=np.asarray(tree.children_left, dtype=np.int64),
        right=np.asarray(tree.children_right, dtype=np.int64),
        feature=np.asarray(tree.feature, dtype=np.int64),
        split=np.asarray(tree.threshold, dtype=np.float64),
        missing_left=np.asarray(tree.missing_go_to_left, dtype=bool),
        value=np.asarray(tree.value[:, 0, column], dtype=np.float64) * scale,
        output=output,
    )
