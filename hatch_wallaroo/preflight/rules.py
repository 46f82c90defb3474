"""The rules of a run on this machine: what was seen when the bundle was resolved, loaded, and asked."""

from __future__ import annotations

from hatch_wallaroo.findings import Level, rule

_RUNTIME = "The runtime of the SDK's wheel, run on this machine"

UNRESOLVABLE = rule(
    "WLR700",
    "the requirements cannot be installed on the platform",
    why="The platform installs requirements.txt for its own Python and processor. What uv cannot resolve for them, pip "
    "cannot install there, and the conversion ends.",
    source="uv, asked for the release's Python and the model's processor",
)
SOURCE_ONLY = rule(
    "WLR701",
    "a requirement has no wheel for the platform",
    why="What comes as source alone is compiled when the model is converted, by a compiler and with libraries that "
    "nobody promises to be there.",
    source="uv with --only-binary :all:",
    level=Level.WARNING,
)
AGAINST_RUNTIME = rule(
    "WLR702",
    "the requirements do not go together with the platform's own packages",
    why="The runtime brings NumPy, pandas and Arrow in versions of its own. Whether the platform installs a bundle's "
    "versions over them is not known; if it does, the runtime may not start any more.",
    source="uv, asked for both sets at once; the SDK's Requires-Dist",
    level=Level.WARNING,
)
INVALID = rule(
    "WLR710",
    "the platform's validator refuses the bundle",
    why="From 2025.2 on a static validator executes the .py files of a BYOP before it is converted.",
    source="mac.validation of the release's wheel",
)
NOT_LOADED = rule(
    "WLR711",
    "the model cannot be loaded",
    why="The platform loads a model once, when it is converted or deployed; what fails here fails there.",
    source=_RUNTIME,
)
NOT_STARTED = rule(
    "WLR712",
    "the model does not begin to answer",
    why="A process that ends by itself, or that loads for longer than the limit, never becomes ready.",
    source=_RUNTIME,
)
NOT_ANSWERED = rule(
    "WLR713",
    "a prediction fails",
    why="The rows are those of the sample, or fit the input schema: the platform's answer to them is this error.",
    source=_RUNTIME,
)
ENDED = rule(
    "WLR714",
    "the model's process ends while it predicts",
    why="The platform starts it again, and the request is lost.",
    source=_RUNTIME,
)
TOO_SLOW = rule(
    "WLR715",
    "a prediction does not come to an end",
    why="An answer that does not come within the limit is none.",
    source="The limit of this run",
)
WARNED = rule(
    "WLR716",
    "a library warns while it loads the model",
    why="A pickle of one version is loaded by another, and nobody promises that it predicts the same.",
    source="What the library says: InconsistentVersionWarning of scikit-learn, XGBoost's about serialized models",
    level=Level.WARNING,
)
ROWS = rule(
    "WLR720",
    "the answer has another number of rows than the question",
    why="The platform does not compare them: the rows that it answers with are then not those that were asked.",
    source=_RUNTIME,
    level=Level.WARNING,
)
MISSING = rule(
    "WLR721",
    "a field of the output schema is not in the answer",
    why="The platform leaves it out without a word; who reads it finds nothing.",
    source=_RUNTIME,
    level=Level.WARNING,
)
EXTRA = rule(
    "WLR722",
    "the answer has a field that the output schema has not",
    why="Releases up to 2024.1 pass it on; later ones refuse the whole answer.",
    source=_RUNTIME,
    level=Level.WARNING,
)
CUT = rule(
    "WLR723",
    "fractions are cut off",
    why="Inside lists the platform turns floats into the integers of the schema and drops what is behind the point.",
    source=_RUNTIME,
    level=Level.WARNING,
)
OVERFLOWN = rule(
    "WLR724",
    "numbers become infinite",
    why="A number beyond the type of the schema becomes inf without a word.",
    source=_RUNTIME,
    level=Level.WARNING,
)
RETYPED = rule(
    "WLR725",
    "the answer is of another kind than the schema says",
    why="The platform turns numbers into texts and texts into numbers without a word, and the last fails with the "
    "first text that is none.",
    source=_RUNTIME,
    level=Level.WARNING,
)
NULLS = rule(
    "WLR726",
    "the answer holds nulls",
    why="A null passes every check of the platform, and what comes next has to bear it.",
    source=_RUNTIME,
    level=Level.WARNING,
)
SHAPE = rule(
    "WLR727",
    "the answer has another shape than the schema says",
    why="Releases up to 2024.1 do not compare the answer with the schema: what comes next gets something else than "
    "it was promised.",
    source=_RUNTIME,
    level=Level.WARNING,
)
UNEXPECTED = rule(
    "WLR728",
    "the answer is not the one that the sample expects",
    why="The sample says what the model gives for its rows; on the platform's versions it gives something else.",
    source="The key `sample`",
)
UNSTEADY = rule(
    "WLR729",
    "the same question gets another answer",
    why="A model that answers otherwise for the same rows cannot be compared with what it was tested with; random "
    "numbers without a seed, or state from call to call, are the usual cause.",
    source=_RUNTIME,
    level=Level.WARNING,
)
BATCH = rule(
    "WLR730",
    "a row alone is answered otherwise than among others",
    why="The platform puts requests together and takes them apart: an answer may not depend on its neighbours.",
    source=_RUNTIME,
    level=Level.WARNING,
)
EMPTY = rule(
    "WLR731",
    "a batch without rows fails",
    why="A step before this one may leave no row over; what happens then is the model's.",
    source=_RUNTIME,
    level=Level.NOTE,
)
OTHER_VERSION = rule(
    "WLR740",
    "a library is not the platform's version",
    why="Where no wheel of the platform's version can be had for a Python of this machine, the nearest is taken: what "
    "differs between the two is not seen.",
    source="The release's libraries; PyPI",
    level=Level.WARNING,
)
NO_RUN = rule(
    "WLR742",
    "this machine cannot run the model",
    why="The build was told to run each bundle first (`preflight = true` under its hook), and lacks what that needs: "
    "uv, a Python of the release, or rows that fit.",
    source="The build hook's option `preflight`",
)
NOT_RUN = rule(
    "WLR741",
    "nothing on this machine runs the model",
    why="Some models need a server or a card that this machine has not; their bundle is packed and checked, not run.",
    source="The release's frameworks",
    level=Level.NOTE,
)
WRITTEN = rule(
    "WLR743",
    "the model writes among its packages",
    why="What it changes there is gone on the platform with each start, and no two runs have the same packages; the "
    "environment of this run is made anew the next time.",
    source="The environment, before and after the run",
    level=Level.WARNING,
)
