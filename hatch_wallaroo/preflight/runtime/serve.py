"""Loads one model as the platform does and answers for it: `python serve.py JOB`, run by the release's own Python.

JOB is a JSON file that `preflight.job` writes. Answers go over Arrow Flight on a Unix socket, as the platform's own
service gives them where the release has one; what happened meanwhile goes to a file of JSON lines, `record`. Nothing
here is imported by the plugin: it is written for Python 3.8 and needs the runtime set of the release.
"""

import contextlib
import faulthandler
import json
import os
import sys
import time
import traceback
import types
from pathlib import Path

HERE = os.path.dirname(os.path.abspath(__file__))
MOST_FRAMES = 40
LONGEST_TEXT = 4000


class _Absent(types.ModuleType):
    """Stands for the MLflow service, which the Flight service imports to register it, and nobody asks for here."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)


def without_mlflow():
    """Spare mlflow, flask, gevent and typer: hundreds of megabytes that no answer needs."""
    for name in ("mac.service.mlflow", "mac.service.mlflow.mlflow_service"):
        module = _Absent(name)
        module.__path__ = []
        sys.modules[name] = module


class Record:
    """The file of JSON lines: one line an event, written at once, so that a crash loses none."""

    def __init__(self, path):
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def __call__(self, event, **values):
        line = json.dumps(dict(values, event=event), default=str)
        os.write(self.descriptor, (line + "\n").encode("utf-8", "replace"))

    def failure(self, phase, error):
        """Tell an exception: its chain of causes as texts, and the frames of the innermost one."""
        causes, at, seen = [], error, set()
        while at is not None and id(at) not in seen and len(causes) < MOST_FRAMES:
            seen.add(id(at))
            causes.append({"type": type(at).__name__, "message": _text(at), "frames": _frames(at)})
            at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
        self("failed", phase=phase, causes=causes)


def _text(error):
    try:
        return str(error)[:LONGEST_TEXT]
    except Exception:  # an exception may raise while it is shown
        return "(its text cannot be shown)"


def _frames(error):
    frames = [
        {"file": each.filename, "line": each.lineno, "function": each.name}
        for each in traceback.extract_tb(error.__traceback__, limit=-MOST_FRAMES)
    ]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append({"file": error.filename, "line": error.lineno, "function": "<module>"})
    return frames


def described(data):
    """What a step gave, field by field, before the platform turns it into Arrow.

    Each field: its `kind`, `dtype`, `shape`; for numbers whether some are no whole numbers, the largest and how many
    are not finite; for objects the names of the items' types. Raises nothing: anything may come.
    """
    if not isinstance(data, dict):
        return {"type": type(data).__name__}
    return {"type": "dict", "fields": {str(name): _field(value) for name, value in list(data.items())[:500]}}


def _field(value):
    try:
        return _measured(value)
    except Exception as error:  # a class of the user's may do as it likes
        return {"kind": type(value).__name__, "unreadable": _text(error)}


def _measured(value):
    import numpy as np

    told = {"kind": type(value).__name__}
    if isinstance(value, (list, tuple)):
        told["rows"] = len(value)
        value = np.asarray(value, dtype=object) if not len(value) else np.asarray(value)
    if not isinstance(value, np.ndarray):
        return told
    told.update(dtype=str(value.dtype), shape=list(value.shape), rows=len(value) if value.ndim else None)
    if value.dtype.kind == "f" and value.size:
        finite = value[np.isfinite(value)]
        told["infinite"] = int(np.isinf(value).sum())
        told["nan"] = int(np.isnan(value).sum())
        told["fractions"] = int((finite != np.trunc(finite)).sum())
        told["largest"] = float(np.abs(finite).max()) if finite.size else 0.0
    elif value.dtype.kind in "iu" and value.size:
        told["largest"] = float(np.abs(value.astype("float64")).max())
    elif value.dtype.kind == "O":
        told["items"] = sorted({type(each).__name__ for each in value.ravel()[:10000]})
        told["nulls"] = sum(each is None for each in value.ravel()[:1000000])
    return told


def peak():
    """The most bytes of memory that this process held."""
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def limit(limits):
    """Bounds for memory and for the size of files, no core dumps, and an end with the process that asked."""
    import ctypes
    import resource
    import signal

    for kind, most in (
        (resource.RLIMIT_AS, limits["memory"]),
        (resource.RLIMIT_FSIZE, limits["file"]),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(kind, (most, most))
        except (ValueError, OSError):
            pass
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)  # PR_SET_PDEATHSIG


def loopback():
    """Switch on the loopback of a network namespace of our own, which is off when it is made; elsewhere it is on."""
    import fcntl
    import socket
    import struct

    if sys.platform != "linux":
        return
    get, put, up = 0x8913, 0x8914, 1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
            given = fcntl.ioctl(asked, get, struct.pack("16sH14s", b"lo", 0, b""))
            (flags,) = struct.unpack_from("H", given, 16)
            if not flags & up:
                fcntl.ioctl(asked, put, struct.pack("16sH14s", b"lo", flags | up, b""))
    except OSError:
        pass


def loaded(record):
    """The model is loaded: the limit for that is not of interest any more."""
    faulthandler.cancel_dump_traceback_later()
    record("loaded", seconds=time.perf_counter() - STARTED)


@contextlib.contextmanager
def told_where(seconds):
    """Have the tracebacks of all threads printed shortly before a limit: they show where it is that does not end."""
    faulthandler.dump_traceback_later(seconds * 0.8, file=2)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def watched(step, record, seconds):
    """The step, with each call recorded; it takes and gives what it took and gave before."""
    import inspect

    if inspect.iscoroutinefunction(step):

        async def call(input_data):
            begun = time.perf_counter()
            try:
                with told_where(seconds):
                    made = await step(input_data)
            except BaseException as error:
                record.failure("predict", error)
                raise
            record("call", seconds=time.perf_counter() - begun, peak=peak(), **described(made))
            return made
    else:

        def call(input_data):
            begun = time.perf_counter()
            try:
                with told_where(seconds):
                    made = step(input_data)
            except BaseException as error:
                record.failure("predict", error)
                raise
            record("call", seconds=time.perf_counter() - begun, peak=peak(), **described(made))
            return made

    return call


def load(job, record):
    """The step: by the platform's loader for BYOP and `process_data`, else by our own prediction."""
    framework = job["framework"]
    if framework == "custom" and job["service"] == "ours":
        from before_flight import byop_step

        return byop_step(job["model"])
    if framework in ("custom", "python") and job["form"] != "wallaroo_json":
        return None
    import predictors

    return predictors.load(job, record)


def serve_by_platform(job, record, step):
    """Serve by the Flight service of the wheel; `step` is None where its loader makes it, too."""
    without_mlflow()
    import inspect

    from mac.entrypoints import serving
    from mac.types import SupportedServices

    server = on_socket(job["socket"])
    if job["typed"] and job_schema(job, "output_schema", step) is None:
        learn_schema(server)
    if hasattr(serving, "serve_inference"):
        serve_inference(job, record, step, serving, SupportedServices)
        return
    wanted = serving.serve_python_step

    def serve_watched(service_config, python_step):
        loaded(record)
        return wanted(service_config=service_config, python_step=watched(python_step, record, job["limits"]["call"]))

    if step is None:
        serving.serve_python_step = serve_watched
        serve_custom(job, serving, inspect, SupportedServices)
        return
    import pyarrow as pa
    from mac.config.python_step import AutoInferenceConfig
    from mac.config.service import ServerConfig
    from mac.config.service.creation import ServiceConfigFactory

    configuration = AutoInferenceConfig.model_construct(framework=job["framework"], model_path=Path(job["model"]))
    values = {"python_step": configuration, "server": ServerConfig(host="127.0.0.1", port=8080)}
    if job["typed"]:
        schema = job_schema(job, "output_schema", step)
        values["output_schema"] = schema if schema is not None else pa.schema([])
    serve_watched(ServiceConfigFactory().create("flight", **values), step)


def serve_inference(job, record, step, serving, services):
    """Serve as 2023.4 does, which knows no steps: an Inference, made by a builder."""
    wanted = serving.serve_inference

    class Watched:
        def __init__(self, builder):
            self.builder = builder

        def create(self, config):
            inference = self.builder.create(config)
            inference.predict = watched(inference.predict, record, job["limits"]["call"])
            loaded(record)
            return inference

    def serve_watched(inference_service_config, inference_builder):
        return wanted(inference_service_config=inference_service_config, inference_builder=Watched(inference_builder))

    serving.serve_inference = serve_watched
    if step is None:
        serving.serve_custom_inference_from_json_config(
            config_path=Path(job["message"]), service_type=services.FLIGHT, host="127.0.0.1", port=8080
        )
        return

    class Ours(types.SimpleNamespace):
        def create(self, config):
            return types.SimpleNamespace(predict=step)

    serving.serve_auto_inference_from_json_config(
        config_path=Path(job["message"]),
        inference_builder=Ours(),
        service_type=services.FLIGHT,
        host="127.0.0.1",
        port=8080,
    )


def serve_custom(job, serving, inspect, services):
    """Start a BYOP or `process_data` step by the entry point that the wheel has."""
    from pydata_util.nats import parse_nats_message_from_model_json
    from pydata_util.types import SupportedNATSMessages

    more = {}
    if "supported_frameworks" in inspect.signature(parse_nats_message_from_model_json).parameters:
        from mac.types import SupportedFrameworks

        more["supported_frameworks"] = SupportedFrameworks
    message = parse_nats_message_from_model_json(
        file_path=Path(job["message"]), message_type=SupportedNATSMessages.PACKAGING, **more
    )
    serving.serve_custom_step_from_nats_message(
        nats_message=message, service_type=services.FLIGHT, host="127.0.0.1", port=8080
    )


def on_socket(socket):
    """Have the platform's Flight server listen on a Unix socket instead of a port."""
    import importlib

    place = property(lambda _: "grpc+unix://" + socket)
    for module, name in (
        ("mac.service.arrow_flight.base_server", "IArrowFlightServer"),
        ("mac.service.arrow_flight.server", "ArrowFlightServer"),
    ):
        try:
            server = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            continue
        if "location" in vars(server):
            server.location = place
            return server
    raise RuntimeError("this wheel has no Flight server that is known here")


def learn_schema(server):
    """Have the platform's server cast each answer to the types that it has, where no output schema is declared."""
    method = "_convert_inference_data_to_record_batches"
    convert = getattr(server, method)

    def converted(self, inference_data):
        self._output_schema = schema_of(inference_data)
        return convert(self, inference_data)

    setattr(server, method, converted)


def schema_of(data):
    """The Arrow schema of what a step gave: arrays of two and more dimensions are lists of fixed sizes."""
    import numpy as np
    import pyarrow as pa

    fields = []
    for name, value in data.items():
        array = np.asarray(value)
        if array.dtype.kind in "OUS":
            made = pa.array(array.tolist()).type
        else:
            made = pa.from_numpy_dtype(array.dtype)
            for size in reversed(array.shape[1:]):
                made = pa.list_(made, size)
        fields.append((name, made))
    return pa.schema(fields)


def job_schema(job, side, step=None):
    """The schema of a side, from the job or from what the model itself says; None where neither has it."""
    import base64

    import pyarrow as pa

    encoded = job.get(side)
    if encoded:
        return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(encoded)))
    return getattr(step, "schema", None)


def serve_by_ours(job, record, step):
    """Serve by a Flight service of our own, for releases whose wheel has none."""
    import before_flight

    loaded(record)
    before_flight.serve(job, watched(step, record, job["limits"]["call"]), job_schema(job, "output_schema", step))


def validate(job):
    """Run the platform's static validator, which executes the .py files as the platform does."""
    from mac.validation import validate_byop_structure

    validate_byop_structure(Path(job["model"]))


def main():
    """Do the job; a failure is recorded, and its traceback goes to standard error as the platform's log would."""
    with open(sys.argv[1], encoding="utf-8") as stream:
        job = json.load(stream)
    record = Record(job["record"])
    limit(job["limits"])
    loopback()
    faulthandler.enable(2)
    faulthandler.dump_traceback_later(job["limits"]["start"] * 0.8, file=2)
    record("started", python=sys.version.split()[0])
    try:
        if job["work"] == "validate":
            validate(job)
            record("validated")
            return
        step = load(job, record)
        if job["service"] == "ours":
            serve_by_ours(job, record, step)
        else:
            serve_by_platform(job, record, step)
    except BaseException as error:
        record.failure(job["work"], error)
        raise


STARTED = time.perf_counter()
if __name__ == "__main__":
    sys.path[0] = HERE
    main()
