"""Runs inside an environment with the SDK: validate and load a bundle's folder, predict a sample, print JSON.

Arguments: the bundle's folder, the sample, and optionally the project's source folder and
`module:load` and `module:predict`, whose own answer is then printed as well. Runs on Python 3.8.
"""

import asyncio
import importlib
import inspect
import json
import sys
import warnings
from pathlib import Path

import numpy as np
from byop_oracle import serving, validator

warnings.simplefilter("ignore")


def plain(outputs):
    return {name: np.asarray(values).tolist() for name, values in outputs.items()}


def awaited(value):
    return asyncio.run(value) if inspect.isawaitable(value) else value


def main():
    folder, sample = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
    rows = sample["inputs"]
    inputs = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    answer = {"validator": validator(folder)}
    predict = serving(folder)
    answer["asynchronous"] = inspect.iscoroutinefunction(predict)
    answer["served"] = plain(awaited(predict(input_data=inputs)))
    if len(sys.argv) > 3:
        sys.path.insert(0, str(Path(sys.argv[3]) / "src"))
        for name in [each for each in sys.modules if each.startswith(sys.argv[4].partition(".")[0])]:
            del sys.modules[name]
        load, call = (
            getattr(importlib.import_module(module), function)
            for module, _, function in (each.partition(":") for each in sys.argv[4:6])
        )
        answer["plain"] = plain(awaited(call(load(Path(sys.argv[3])), inputs)))
    answer["expected"] = {name: [row[name] for row in sample["outputs"]] for name in sample["outputs"][0]}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
