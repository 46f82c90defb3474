"""What a schema has from pandas, and no model: the index of the DataFrame that it was made from."""

from __future__ import annotations

from collections.abc import Iterator

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, Level, rule
from hatch_wallaroo.schema.arrow import is_pandas_index

INDEX_FIELD = rule(
    "WLR667",
    "a field that is the index of a DataFrame",
    why="pyarrow makes a column of a DataFrame's index, and calls it __index_level_0__. A request would have to bring "
    "it, and the model was not trained on it.",
    source="pyarrow, Schema.from_pandas and Table.from_pandas: preserve_index",
    level=Level.WARNING,
)


def check_schemas(spec: ModelSpec) -> Iterator[Finding]:
    """A finding for each field of the declared schemas that is an index."""
    for option, schema in (("input-schema", spec.input_schema), ("output-schema", spec.output_schema)):
        for field in schema.fields if schema else ():
            if is_pandas_index(field.name):
                yield INDEX_FIELD.finding(
                    f"{field.name} is the index of a pandas DataFrame, not a column of the data",
                    fix="remove it from the schema",
                    place=spec.at(option, field.name),
                )
