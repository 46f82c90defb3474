"""What stands for the service of releases before Arrow Flight (2023.2.1): the platform's loader, a service of ours.

The platform served a BYOP by MLflow there: rows as pandas records, made into one array a column by `mac`'s own
function, and back by one record a row. The functions are the wheel's where it has them; only the transport is another.
"""

import importlib
from pathlib import Path


def byop_step(model):
    """The `predict` of the BYOP in a folder, made by the wheel's loader."""
    import mac.inference  # noqa: F401 - first: the modules of this wheel import each other in a circle otherwise
    from mac.config.inference import CustomInferenceConfig
    from mac.utils.helpers import load_custom_inference_builder

    config = CustomInferenceConfig(framework="custom", model_path=Path(model), modules_to_include=[Path("*.py")])
    builder = load_custom_inference_builder(config.matching_files)
    inference = builder.create(config)
    return lambda data: inference.predict(input_data=data)


def columns(batch):
    """One array a column, as the wheel makes them of pandas records."""
    import mac.inference  # noqa: F401 - first, as above
    import pandas as pd
    from mac.utils.helpers import convert_dataframe_to_dict_of_numpy_arrays

    return convert_dataframe_to_dict_of_numpy_arrays(pd.DataFrame.from_records(rows(batch), columns=batch.schema.names))


def rows(batch):
    """The rows of a batch as JSON would bring them."""
    return list(
        map(
            dict,
            zip(
                *[
                    [(name, value) for value in column.to_pylist()]
                    for name, column in zip(batch.schema.names, batch.columns)
                ]
            ),
        )
    )


def records(made):
    """The rows of what a step gave, as the MLflow adapter of the wheel makes them: fields by their first axis."""
    import numpy as np

    if isinstance(made, np.ndarray):
        return [{"output": value} for value in made.tolist()]
    count = len(next(iter(made.values())))
    return [{key: value[at] for key, value in made.items()} for at in range(count)]


def plain(value):
    """A value as JSON writes it."""
    import numpy as np

    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


def serve(job, step, schema):
    """Answer on the job's socket until the process is ended."""
    flight = importlib.import_module("pyarrow.flight")
    import json

    import pyarrow as pa

    def answered(batch):
        made = [{key: plain(value) for key, value in row.items()} for row in records(step(columns(batch)))]
        names = list(made[0]) if made else (schema.names if schema is not None else [])
        arrays = []
        for name in names:
            values = [row[name] for row in made]
            known = schema is not None and name in schema.names
            try:
                arrays.append(pa.array(values, type=schema.field(name).type) if known else pa.array(values))
            except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
                # Nothing there compares with the schema: what was given is shown as it is.
                arrays.append(pa.array(values))
        return pa.record_batch(arrays, names=names)

    class Server(flight.FlightServerBase):
        def do_action(self, context, action):
            yield flight.Result(pa.py_buffer(b"\n"))

        def do_exchange(self, context, descriptor, reader, writer):
            for chunk in reader:
                try:
                    made = answered(chunk.data)
                except Exception as error:
                    told = {"code": 500, "message": "the step failed", "details": [str(error)]}
                    raise flight.FlightServerError(str(error), extra_info=json.dumps(told).encode()) from error
                writer.begin(made.schema)
                writer.write_batch(made)
                return

    Server("grpc+unix://" + job["socket"]).serve()
