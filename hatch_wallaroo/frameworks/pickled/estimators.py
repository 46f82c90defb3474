"""What scikit-learn's classes are, and which of their pickles load in one version and not in another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hatch_wallaroo.formats.pickle_nodes import Call, Collection, Global, Value, array_of, class_of, state_of, walk
from hatch_wallaroo.frameworks.base import version_numbers

_STEPS = ("steps", "transformers", "transformer_list", "estimators")
_DEEPEST = 20

NO_PREDICT = frozenset(
    {
        "AdditiveChi2Sampler", "AgglomerativeClustering", "BernoulliRBM", "Binarizer", "ClassicalMDS",
        "ColumnTransformer", "CountVectorizer", "DBSCAN", "DictVectorizer", "DictionaryLearning",
        "EmpiricalCovariance", "FactorAnalysis", "FastICA", "FeatureAgglomeration", "FeatureHasher", "FeatureUnion",
        "FunctionTransformer", "GaussianRandomProjection", "GenericUnivariateSelect", "GraphicalLasso",
        "GraphicalLassoCV", "HDBSCAN", "HashingVectorizer", "IncrementalPCA", "Isomap", "IterativeImputer",
        "KBinsDiscretizer", "KNNImputer", "KNeighborsTransformer", "KernelCenterer", "KernelDensity", "KernelPCA",
        "LabelBinarizer", "LabelEncoder", "LatentDirichletAllocation", "LedoitWolf", "LocallyLinearEmbedding", "MDS",
        "MaxAbsScaler", "MinCovDet", "MinMaxScaler", "MiniBatchDictionaryLearning", "MiniBatchNMF",
        "MiniBatchSparsePCA", "MissingIndicator", "MultiLabelBinarizer", "NMF", "NearestNeighbors",
        "NeighborhoodComponentsAnalysis", "Normalizer", "Nystroem", "OAS", "OPTICS", "OneHotEncoder",
        "OrdinalEncoder", "PCA", "PLSSVD", "PatchExtractor", "PolynomialCountSketch", "PolynomialFeatures",
        "PowerTransformer", "QuantileTransformer", "RBFSampler", "RadiusNeighborsTransformer", "RandomTreesEmbedding",
        "RobustScaler", "SelectFdr", "SelectFpr", "SelectFromModel", "SelectFwe", "SelectKBest", "SelectPercentile",
        "SequentialFeatureSelector", "ShrunkCovariance", "SimpleImputer", "SkewedChi2Sampler", "SparseCoder",
        "SparsePCA", "SparseRandomProjection", "SpectralBiclustering", "SpectralClustering", "SpectralCoclustering",
        "SpectralEmbedding", "SplineTransformer", "StandardScaler", "TSNE", "TargetEncoder", "TfidfTransformer",
        "TfidfVectorizer", "TruncatedSVD", "VarianceThreshold",
    }
)  # fmt: skip
"""Estimators without predict, in 1.2 to 1.9."""

NO_ESTIMATORS = ("sklearn.utils", "sklearn.metrics", "sklearn.datasets", "sklearn.externals", "sklearn.tree._tree")
"""Modules of scikit-learn whose classes are no estimators."""

_TEXT_INPUT = frozenset({"CountVectorizer", "TfidfVectorizer", "HashingVectorizer"})
Version = tuple[int, ...]


@dataclass(frozen=True)
class Step:
    """A part of a model, by its name there and its class."""

    name: str
    made_by: Global | None
    value: Value

    @property
    def label(self) -> str:
        return self.made_by.name if self.made_by else str(self.value)


def steps_of(model: Value) -> list[Step]:
    """The named parts of a Pipeline, a ColumnTransformer, a FeatureUnion or a voting ensemble."""
    state = state_of(model)
    for key in _STEPS:
        parts = state.get(key)
        if isinstance(parts, Collection) and parts.items:
            steps = [_step(part) for part in parts.items]
            found = [each for each in steps if each is not None]
            if len(found) == len(steps):
                return found
    return []


def _step(part: Value) -> Step | None:
    if not isinstance(part, Collection) or len(part.items) < 2 or not isinstance(part.items[0], str):  # noqa: PLR2004
        return None
    value = part.items[1]
    return Step(part.items[0], class_of(value), value)


def versions_of(model: Value) -> list[str]:
    """The versions that scikit-learn wrote into its estimators, the outermost's first."""
    found = [state_of(each).get("_sklearn_version") for each in walk(model) if isinstance(each, Call)]
    return list(dict.fromkeys(each for each in found if isinstance(each, str)))


def final_of(model: Value) -> Value:
    """The estimator whose predict a pipeline or a search calls in the end."""
    for _ in range(_DEEPEST):
        made_by = class_of(model)
        steps = steps_of(model) if made_by and made_by.name == "Pipeline" else []
        inner = steps[-1].value if steps else None
        if made_by and made_by.name.endswith("SearchCV"):
            inner = state_of(model).get("best_estimator_")
        if not class_of(inner):
            return model
        model = inner
    return model


def features_of(model: Value) -> int | None:
    """How many features the model was trained on, as `n_features_in_` says."""
    for _ in range(_DEEPEST):
        count = state_of(model).get("n_features_in_")
        if isinstance(count, int) and not isinstance(count, bool) and count > 0:
            return count
        made_by = class_of(model)
        if made_by is None:
            return None
        # A Pipeline's is its first step's; a step "passthrough" changes nothing.
        steps = [each.value for each in steps_of(model) if each.made_by] if made_by.name == "Pipeline" else []
        inner = [state_of(model).get(key) for key in ("best_estimator_", "regressor_")]
        parts = [each for each in (*steps, *inner) if class_of(each)]
        if not parts:
            return None
        model = parts[0]
    return None


def takes_texts(model: Value) -> bool:
    """Whether the model's input is text: some part of it is a vectorizer."""
    return any(
        made_by.name in _TEXT_INPUT and made_by.module.startswith("sklearn.")
        for made_by in (class_of(each) for each in walk(model))
        if made_by
    )


def text_labels(model: Value) -> bool:
    """Whether a classifier was trained on text labels, which its predict returns."""
    array = array_of(state_of(final_of(model)).get("classes_"))
    return array is not None and array.dtype is not None and array.dtype.kind in {"U", "S"}


def named_columns(model: Value) -> list[str]:
    """The column names by which a ColumnTransformer picks its columns."""
    return list(dict.fromkeys(_columns(model)))


def _columns(model: Value) -> Iterator[str]:
    for each in walk(model):
        made_by = class_of(each)
        if made_by is None or made_by.name != "ColumnTransformer":
            continue
        parts = state_of(each).get("transformers")
        for part in parts.items if isinstance(parts, Collection) else []:
            chosen = part.items[2] if isinstance(part, Collection) and len(part.items) > 2 else None  # noqa: PLR2004
            if isinstance(chosen, str):
                yield chosen
            elif isinstance(chosen, Collection):
                yield from (column for column in chosen.items if isinstance(column, str))


def unfitted(model: Value) -> bool:
    """Whether an estimator has not one of the attributes that training gives it, which end in an underscore."""
    state = state_of(model)
    return (
        bool(state.entries)
        and state.complete
        and len(state.keys()) == state.count
        and not any(key.endswith("_") and not key.startswith("__") for key in state.keys())  # noqa: SIM118 -- a method
    )


@dataclass(frozen=True)
class VersionBreak:
    """`module` and `name` (a prefix; empty: any) exist, or have their form, from version `since` on, before `until`.

    A pickle that names them and was written in that span does not load outside of it.
    """

    module: str
    name: str
    because: str
    since: Version = ()
    until: Version = ()

    def names(self, each: Global) -> bool:
        return (each.module == self.module or each.module.startswith(f"{self.module}.")) and each.name.startswith(
            self.name
        )

    def spans(self, version: Version) -> bool:
        return (not self.since or version >= self.since) and (not self.until or version < self.until)


_TREE = "the nodes of a decision tree have another form"
_PLS = "PLS and CCA have their coefficients under another name since"
_LOSS = "the classes of loss functions were moved"
_DISTANCE = "the classes of distance metrics were renamed"


def _changed(module: str, name: str, because: str, at: Version) -> tuple[VersionBreak, VersionBreak]:
    """Of another form since a version: neither side loads what the other wrote."""
    return VersionBreak(module, name, because, since=at), VersionBreak(module, name, because, until=at)


BREAKS = (
    *_changed("sklearn.tree._tree", "Tree", f"{_TREE} since 1.3", (1, 3)),
    *_changed("sklearn.metrics._dist_metrics", "", f"{_DISTANCE} in 1.3", (1, 3)),
    *_changed("sklearn.cross_decomposition._pls", "", f"{_PLS} 1.3", (1, 3)),
    VersionBreak("_loss", "", f"{_LOSS} in 1.4", since=(1, 4)),
    VersionBreak("sklearn.ensemble._gb_losses", "", f"{_LOSS} in 1.4", until=(1, 4)),
    VersionBreak("sklearn.cluster._hdbscan", "", "HDBSCAN is new in 1.3", since=(1, 3)),
    VersionBreak("sklearn.preprocessing._target_encoder", "", "TargetEncoder is new in 1.3", since=(1, 3)),
    VersionBreak(
        "sklearn.model_selection._classification_threshold", "", "its threshold classifiers are new", since=(1, 5)
    ),
    VersionBreak("sklearn.frozen", "", "FrozenEstimator is new in 1.6", since=(1, 6)),
    VersionBreak("sklearn.manifold._classical_mds", "", "ClassicalMDS is new", since=(1, 8)),
)


def broken_between(names: list[Global], written: str, runs: str) -> list[str]:
    """Why a model of one version does not load in another; nothing where no reason is known."""
    here, there = version_numbers(written), version_numbers(runs)
    return list(
        dict.fromkeys(
            each.because
            for each in BREAKS
            if each.spans(here) and not each.spans(there) and any(each.names(name) for name in names)
        )
    )
