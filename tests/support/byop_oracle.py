"""Runs inside an environment with the SDK: what the real validator and the real loader say of small bundles.

Standard input: {"name": {"path": "text"}}; standard output: {"name": {"validator": …, "loader": …}}.
Runs on Python 3.8.
"""

import asyncio
import contextlib
import importlib
import inspect
import json
import logging
import os
import sys
import tempfile
from pathlib import Path

os.environ["LOG_LEVEL"] = "CRITICAL"
import numpy as np

logging.disable(logging.CRITICAL)


def validator(folder):
    try:
        from mac.validation import validate_byop_structure
    except ImportError:
        return None
    try:
        validate_byop_structure(folder)
    except SystemExit:
        return "exit"
    except Exception as error:
        return "{}: {}".format(type(error).__name__, " ".join(str(error).split()))
    return "pass"


def serving(folder):
    """The loader's way to a function that predicts, by whichever names the release has for it."""
    try:
        from mac.config.python_step import CustomStepConfig
        from mac.io import custom_step_loaders
    except ImportError:
        importlib.import_module("mac.inference")  # first: 2023.2.1 imports in a circle
        from mac.config.inference import CustomInferenceConfig
        from mac.types import SupportedFrameworks
        from mac.utils.helpers import load_custom_inference_builder

        config = CustomInferenceConfig(
            framework=SupportedFrameworks.CUSTOM, model_path=folder, modules_to_include=[Path("*.py")]
        )
        return load_custom_inference_builder(config.matching_files).create(config).predict
    from pydata_util.nats.framework_config import CustomConfig
    from pydata_util.types import SupportedFrameworks

    config = CustomStepConfig(
        framework=SupportedFrameworks.CUSTOM, model_path=folder, modules_to_include={Path("*.py")}
    )
    return custom_step_loaders.load_custom_inference(config, CustomConfig(model_path=folder))


def loader(folder):
    stage = "load"
    try:
        predict = serving(folder)
        stage = "predict"
        out = predict(input_data={"inputs": np.zeros((2, 4))})
        if inspect.iscoroutinefunction(predict):
            out = asyncio.run(out)
        elif inspect.isawaitable(out):
            out.close()
            return "predict: coroutine"
        if not isinstance(out, dict):
            return "predict: " + type(out).__name__
    except SystemExit:
        return "exit"
    except BaseException as error:
        return "{}: {}: {}".format(stage, type(error).__name__, " ".join(str(error).split()))
    return "ok"


@contextlib.contextmanager
def untouched():
    path, modules = list(sys.path), set(sys.modules)
    try:
        yield
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            if not name.startswith(("mac", "numpy", "pydata_util", "pandas", "pyarrow", "asyncio")):
                del sys.modules[name]


def main():
    import warnings

    warnings.simplefilter("ignore")
    sys.dont_write_bytecode = True
    with tempfile.TemporaryDirectory() as home:
        answers = {}
        for index, (name, files) in enumerate(json.load(sys.stdin).items()):
            folder = Path(home) / f"case{index}"
            for path, text in files.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(text, encoding="utf-8")
            with contextlib.redirect_stdout(sys.stderr):
                with untouched():
                    said = validator(folder)
                with untouched():
                    did = loader(folder)
            answers[name] = {"validator": said, "loader": did}
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
