"""Runs inside an environment with the SDK: what the real loader of Python steps says of small folders.

Standard input: {"name": {"path": "text"}}; standard output: {"name": "ok" or the error}.
"""

import json
import logging
import os
import sys
import tempfile
from pathlib import Path

os.environ["LOG_LEVEL"] = "CRITICAL"
from mac.config.python_step import CustomStepConfig
from mac.io.custom_step_loaders import load_custom_step
from pydata_util.types import SupportedFrameworks

logging.disable(logging.CRITICAL)


def loaded(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        kept = list(sys.path)
        try:
            config = CustomStepConfig(
                framework=SupportedFrameworks.PYTHON, model_path=folder, modules_to_include={Path("*.py")}
            )
            load_custom_step(config)
        except (Exception, SystemExit) as error:
            return f"{type(error).__name__}: {error}"
        finally:
            sys.path[:] = kept
    return "ok"


print(json.dumps({name: loaded(files) for name, files in json.load(sys.stdin).items()}))
