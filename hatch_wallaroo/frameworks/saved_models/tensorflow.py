"""TensorFlow: a SavedModel, zipped under one top folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.sources import Entry
from hatch_wallaroo.findings import Finding, Level, Place
from hatch_wallaroo.formats.saved_model import MetaGraph
from hatch_wallaroo.frameworks.base import Family, Inspection, Layout, Planned, declared_model, is_file
from hatch_wallaroo.frameworks.saved_models import graph as saved_models
from hatch_wallaroo.frameworks.saved_models.graph import SIGNATURE
from hatch_wallaroo.frameworks.saved_models.layout import NO_SAVED_MODEL, plan_saved_model, refuse_file


class TensorFlow(Family):
    """A SavedModel folder, or the user's zip of one."""

    def plan(self, spec: ModelSpec) -> Planned:
        """The SavedModel's files, under one top folder."""
        declared = declared_model(spec)
        if is_file(spec, declared) and PurePosixPath(declared).suffix.lower() != ".zip":
            return refuse_file(spec, declared, NO_SAVED_MODEL)
        return plan_saved_model(spec, declared)

    def inspect(self, spec: ModelSpec, layout: Layout) -> Inspection:
        """Version, tags, signatures and shards."""
        entry = saved_models.graph_entry(layout)
        model, findings = saved_models.read(spec, entry)
        if model is None:
            return Inspection({}, findings)
        checked = saved_models.check(spec, layout, entry, model)
        graph = saved_models.serving_graph(model)
        signatures = _check_signatures(entry, graph) if model.complete else ()
        return Inspection(saved_models.facts(model), (*findings, *checked, *signatures))


def _check_signatures(entry: Entry, graph: MetaGraph) -> Iterator[Finding]:
    place = Place(file=entry.name)
    if not graph.signatures:
        yield SIGNATURE.finding(
            f"{entry.name} has no signature, so its inputs and outputs have no names",
            fix='tf.saved_model.save(model, "my-model", signatures=model.call.get_concrete_function(...))',
            place=place,
        )
    elif "serving_default" not in graph.signatures:
        yield SIGNATURE.finding(
            f"{entry.name} has no signature serving_default, only {', '.join(sorted(graph.signatures)[:5])}",
            fix='tf.saved_model.save(model, "my-model", signatures={"serving_default": ...})',
            place=place,
            level=Level.WARNING,
        )
