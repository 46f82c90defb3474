"""The rules for Python steps: what the platform's loader asks of the function and of the files around it."""

from __future__ import annotations

from hatch_wallaroo.findings import Level, rule

_LOADER = "`mac` 2024.1.0, 2024.4.4 and 2026.1.3, io/custom_step_loaders.py; run on 2026.1.3"
_GUIDE = "MLOps API Essentials Guide, Python Models Requirements"

NOT_A_STEP = rule(
    "WLR440",
    "the model is not a Python step in the form of its release",
    why="Up to 2023.4 a Python step is one .py file. From 2024.1 it is a zip, whose .py files lie at its top or in its "
    "one top folder.",
    source="The guide, Python Models Requirements; `mac` 2024.1.0, entrypoints/serving.py: modules_to_include",
)
NO_FUNCTION = rule(
    "WLR441",
    "the Python step's function is not there",
    why="The platform calls one function by its name: wallaroo_json up to 2023.4, process_data from 2024.1.",
    source=f"{_GUIDE}; {_LOADER}: No pre/post-processing step found in the given files",
)
OTHER_FORM = rule(
    "WLR442",
    "the Python step is written for another release",
    why="With 2024.1 the function's name, its argument and its result changed: a DataFrame before, a dictionary of "
    "numpy arrays since.",
    source=f"{_GUIDE}; {_LOADER}",
)
SIGNATURE = rule(
    "WLR443",
    "the Python step's function has another signature than the platform's",
    why="From 2024.1 the loader compares name, argument and annotations with its own, letter by letter, and refuses "
    "the rest. Before, the engine calls the function with one argument.",
    source=f"{_GUIDE}; {_LOADER}: The `process_data` function should have the following signature",
)
SEVERAL = rule(
    "WLR444",
    "more than one Python step in the bundle",
    why="The loader executes every .py file at the top and wants one process_data over all of them, imported ones "
    "counted.",
    source=f"{_LOADER}: Multiple pre/post-processing steps found in the given files",
)
POSTPONED = rule(
    "WLR445",
    "annotations that are only text when the loader compares them",
    why="`from __future__ import annotations` and quotes leave a string in the annotation's place, which is not equal "
    "to InferenceData.",
    source=_LOADER,
)
NO_IMPORT = rule(
    "WLR446",
    "the Python step cannot be imported on the platform",
    why="The file is executed by its path: it is in no package, and its folder is not searched for modules.",
    source=f"{_LOADER}: import_py_module_from_path",
)
SYNTAX = rule(
    "WLR447",
    "code that the platform's Python cannot run",
    why="The platform runs the Python of its release, not the one on this machine.",
    source="The release's Python; the Python documentation's What's New pages",
)
UNDECLARED = rule(
    "WLR449",
    "a package that the Python step imports and nobody declares",
    why="The environment of a Python step holds what Wallaroo brings, and what requirements.txt asks for.",
    source=f'{_GUIDE}: "the python libraries natively supported by the Wallaroo platform"; `mac` 2026.1.3: its imports',
    level=Level.WARNING,
)
EXITS = rule(
    "WLR450",
    "a file that ends the platform's process when it is imported",
    why="Every .py file at the top is executed, a setup.py too.",
    source=f"{_LOADER}: SystemExit",
)
