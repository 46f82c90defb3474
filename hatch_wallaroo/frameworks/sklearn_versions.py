"""What scikit-learn changed in its pickles: models that load in one version and not in another.

Each row was run: estimators of 1.2.2, 1.3.0, 1.5.2 and 1.9.1 loaded in 1.2.2, 1.3.0,
1.5.2 and 1.9.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from hatch_wallaroo.formats.pickle_nodes import Global

Version = tuple[int, ...]


@dataclass(frozen=True)
class Break:
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

BREAKS = (
    Break("sklearn.tree._tree", "Tree", f"{_TREE} since 1.3", since=(1, 3)),
    Break("sklearn.tree._tree", "Tree", f"{_TREE} since 1.3", until=(1, 3)),
    Break("sklearn.metrics._dist_metrics", "", f"{_DISTANCE} in 1.3", since=(1, 3)),
    Break("sklearn.metrics._dist_metrics", "", f"{_DISTANCE} in 1.3", until=(1, 3)),
    Break("sklearn.cross_decomposition._pls", "", f"{_PLS} 1.3", since=(1, 3)),
    Break("sklearn.cross_decomposition._pls", "", f"{_PLS} 1.3", until=(1, 3)),
    Break("_loss", "", f"{_LOSS} in 1.4", since=(1, 4)),
    Break("sklearn.ensemble._gb_losses", "", f"{_LOSS} in 1.4", until=(1, 4)),
    Break("sklearn.cluster._hdbscan", "", "HDBSCAN is new in 1.3", since=(1, 3)),
    Break("sklearn.preprocessing._target_encoder", "", "TargetEncoder is new in 1.3", since=(1, 3)),
    Break("sklearn.model_selection._classification_threshold", "", "its threshold classifiers are new", since=(1, 5)),
    Break("sklearn.frozen", "", "FrozenEstimator is new in 1.6", since=(1, 6)),
    Break("sklearn.manifold._classical_mds", "", "ClassicalMDS is new", since=(1, 8)),
)


def parse(version: str) -> Version:
    """`1.2.2` as numbers; what is no number ends it: `1.3.dev0` is (1, 3)."""
    numbers: list[int] = []
    for part in version.split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part[:9]))
    return tuple(numbers)


def broken_between(names: list[Global], written: str, runs: str) -> list[str]:
    """Why a model of one version does not load in another; nothing where no reason is known."""
    here, there = parse(written), parse(runs)
    return list(
        dict.fromkeys(
            each.because
            for each in BREAKS
            if each.spans(here) and not each.spans(there) and any(each.names(name) for name in names)
        )
    )
