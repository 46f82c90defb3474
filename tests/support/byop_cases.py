"""Small bundles of inference code, each with one thing that is right or wrong about it.

`CASES[name]` are the files. What the platform says of each is in `byop_verdicts.py`.
"""

from __future__ import annotations

IMPORTS = """\
from typing import Any, Dict, List, Optional, Set, Union
import numpy as np
import numpy.typing as npt
from mac.config.inference import CustomInferenceConfig
from mac.inference import Inference
from mac.inference.creation import InferenceBuilder
from mac.types import InferenceData
"""
LINEAR = """

class Linear:
    def __init__(self):
        self.w = np.arange(4.0)
"""
INFERENCE = """

class TinyInference(Inference):
    @property
    def expected_model_types(self) -> Set[Any]:
        return {Linear}

    @Inference.model.setter
    def model(self, model) -> None:
        self._raise_error_if_model_is_wrong_type(model)
        self._model = model

    def _predict(self, input_data: InferenceData) -> InferenceData:
        return {"predictions": input_data["inputs"] @ self.model.w}
"""
BUILDER = """

class TinyBuilder(InferenceBuilder):
    @property
    def inference(self) -> TinyInference:
        return TinyInference()

    def create(self, config: CustomInferenceConfig) -> TinyInference:
        inference = self.inference
        inference.model = Linear()
        return inference
"""
GOOD = IMPORTS + LINEAR + INFERENCE + BUILDER
PREDICT = "def _predict(self, input_data: InferenceData) -> InferenceData:"
TYPES = "@property\n    def expected_model_types(self) -> Set[Any]:\n        return {Linear}\n"
SETTER = """    @Inference.model.setter
    def model(self, model) -> None:
        self._raise_error_if_model_is_wrong_type(model)
        self._model = model

"""
HERE = "import sys\nfrom pathlib import Path\nsys.path.insert(0, str(Path(__file__).parent{}))\n"
SYS_PATH_WAYS = {
    "pathlib resolve": HERE.format(""),
    "os.path.dirname": "import os, sys\nsys.path.append(os.path.dirname(os.path.abspath(__file__)))\n",
    "a constant": "import sys\nfrom pathlib import Path\nHERE = Path(__file__).resolve().parent\nsys.path.append(str(HERE))\n",
    "os.path.join": "import os\nimport sys\nsys.path.append(os.path.join(os.path.dirname(__file__), '.'))\n",
    "parents": "import sys, pathlib\nsys.path.append(str(pathlib.Path(__file__).resolve().parents[0]))\n",
    "extend": "import sys\nfrom pathlib import Path\nsys.path.extend([str(Path(__file__).parent)])\n",
    "f-string": "import os, sys\nsys.path.append(f'{os.path.dirname(__file__)}/.')\n",
    "plus equals": "import sys, os\nsys.path += [os.path.dirname(__file__)]\n",
    "in a function": "import sys, os\ndef _setup():\n    sys.path.append(os.path.dirname(__file__))\n_setup()\n",
}


def one(text: str, **more: str) -> dict[str, str]:
    return {"main.py": text, "requirements.txt": "", **more}


def swapped(old: str, new: str, start: str = "", text: str = GOOD) -> dict[str, str]:
    assert old in text, old
    return one(start + text.replace(old, new))


def predict(signature: str, start: str = "") -> dict[str, str]:
    return swapped(PREDICT, signature, start)


CASES: dict[str, dict[str, str]] = {
    "good": one(GOOD),
    # The table of the facts, row by row
    "second folder level": {"inner/main.py": GOOD, "requirements.txt": ""},
    "two builders in two files": {"a.py": GOOD, "b.py": GOOD},
    "helper imports the builder": {
        "main.py": GOOD,
        "other.py": HERE.format("") + "from main import TinyBuilder\n",
    },
    "sibling without path": {"main.py": "import helper\n" + GOOD, "helper.py": "X = 1\n"},
    "package after path": {
        "main.py": HERE.format("") + "from pkg.helper import X\n" + GOOD,
        "pkg/__init__.py": "",
        "pkg/helper.py": "X = 1\n",
    },
    "checkpoints": {"main.py": GOOD, ".ipynb_checkpoints/main-checkpoint.py": GOOD},
    "tests that do not import": {"main.py": GOOD, "tests/test_main.py": "import not_installed_anywhere\n"},
    "setup.py": {"main.py": GOOD, "setup.py": "from setuptools import setup\nsetup(name='x')\n"},
    "package with relative import": {
        "main.py": GOOD,
        "pkg/__init__.py": "from .helper import X\n",
        "pkg/helper.py": "X = 1\n",
    },
    "broken file in artifacts": {"main.py": GOOD, "artifacts/broken.py": "def (:\n"},
    "AsyncInference": one(
        (IMPORTS + LINEAR + INFERENCE + BUILDER)
        .replace("from mac.inference import Inference\n", "from mac.inference import AsyncInference\n")
        .replace("TinyInference(Inference)", "TinyInference(AsyncInference)")
        .replace("@Inference.model", "@AsyncInference.model")
        .replace("def _predict", "async def _predict")
    ),
    "abstract base and subclass": one(
        IMPORTS.replace("import numpy as np", "from abc import abstractmethod\nimport numpy as np")
        + LINEAR
        + "\n\nclass Base(Inference):\n    @abstractmethod\n    def extra(self):\n        ...\n"
        + INFERENCE.replace("(Inference)", "(Base)")
        + "\n    def extra(self):\n        return 1\n"
        + BUILDER
    ),
    "types a plain method": swapped("    @property\n    def expected_model_types", "    def expected_model_types"),
    "no model setter": one(GOOD.replace(SETTER, "").replace("inference.model =", "inference._model =")),
    "model never assigned": swapped("        inference.model = Linear()\n", ""),
    "model of a wrong type": swapped("inference.model = Linear()", "inference.model = {}"),
    "model of another own class": one(
        GOOD.replace("inference.model = Linear()", "inference.model = Other()") + "\n\nclass Other:\n    pass\n"
    ),
    "model of a subclass": one(
        GOOD.replace("inference.model = Linear()", "inference.model = Other()") + "\n\nclass Other(Linear):\n    pass\n"
    ),
    "input untyped": predict("def _predict(self, input_data) -> InferenceData:"),
    "input called otherwise": one(GOOD.replace("input_data", "data")),
    "input bare dict": predict("def _predict(self, input_data: dict) -> InferenceData:"),
    "input bare Dict": predict("def _predict(self, input_data: Dict) -> InferenceData:"),
    "input Dict of Any": predict("def _predict(self, input_data: Dict[str, Any]) -> InferenceData:"),
    "Dict of ndarray": predict("def _predict(self, input_data: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:"),
    "dict of ndarray": predict("def _predict(self, input_data: dict[str, np.ndarray]) -> dict[str, np.ndarray]:"),
    "postponed": one("from __future__ import annotations\n" + GOOD),
    "no return annotation": predict("def _predict(self, input_data: InferenceData):"),
    "chat only": one("def handle_chat_completion(request):\n    return {}\n"),
    # Annotations
    "NDArray": predict("def _predict(self, input_data: Dict[str, npt.NDArray]) -> Dict[str, npt.NDArray]:"),
    "NDArray of float64": predict(
        "def _predict(self, input_data: Dict[str, npt.NDArray[np.float64]]) -> InferenceData:"
    ),
    "quoted": predict('def _predict(self, input_data: "InferenceData") -> "InferenceData":'),
    "inner quoted": predict('def _predict(self, input_data: Dict[str, "np.ndarray"]) -> Dict[str, "np.ndarray"]:'),
    "Optional values": predict("def _predict(self, input_data: Dict[str, Optional[np.ndarray]]) -> InferenceData:"),
    "lists of arrays": predict("def _predict(self, input_data: InferenceData) -> Dict[str, List[np.ndarray]]:"),
    "Optional data": predict("def _predict(self, input_data: Optional[InferenceData]) -> InferenceData:"),
    "Union of one": predict("def _predict(self, input_data: Union[InferenceData]) -> InferenceData:"),
    "returns ndarray": predict("def _predict(self, input_data: InferenceData) -> np.ndarray:"),
    "returns Any": predict("def _predict(self, input_data: InferenceData) -> Any:"),
    "returns None": predict("def _predict(self, input_data: InferenceData) -> None:"),
    "Mapping": predict(
        "def _predict(self, input_data: Mapping[str, np.ndarray]) -> InferenceData:", "from typing import Mapping\n"
    ),
    "DefaultDict": predict(
        "def _predict(self, input_data: DefaultDict[str, np.ndarray]) -> InferenceData:",
        "from typing import DefaultDict\n",
    ),
    "own alias": one(
        GOOD.replace("class TinyInference", "Arrays = Dict[str, np.ndarray]\n\n\nclass TinyInference").replace(
            PREDICT, "def _predict(self, input_data: Arrays) -> Arrays:"
        )
    ),
    "annotated alias": one(
        GOOD.replace("class TinyInference", "Arrays: Any = Dict[str, Any]\n\n\nclass TinyInference").replace(
            PREDICT, "def _predict(self, input_data: Arrays) -> InferenceData:"
        )
    ),
    "alias from a sibling": {
        "main.py": HERE.format("/ 'artifacts'")
        + "from shapes import Arrays\n"
        + GOOD.replace(PREDICT, "def _predict(self, input_data: Arrays) -> Arrays:"),
        "artifacts/shapes.py": "from typing import Dict\nimport numpy as np\nArrays = Dict[str, np.ndarray]\n",
    },
    "wrong alias from a sibling": {
        "main.py": HERE.format("/ 'artifacts'")
        + "from shapes import Arrays\n"
        + GOOD.replace(PREDICT, "def _predict(self, input_data: Arrays) -> InferenceData:"),
        "artifacts/shapes.py": "from typing import Dict\nArrays = Dict[str, float]\n",
    },
    "types module imported as": one(
        GOOD.replace("from mac.types import InferenceData", "import mac.types as mt").replace(
            "InferenceData", "mt.InferenceData"
        )
    ),
    "data imported as": one(
        GOOD.replace("import InferenceData", "import InferenceData as Data").replace(
            PREDICT, "def _predict(self, input_data: Data) -> Data:"
        )
    ),
    "TypedDict": one(
        "from typing import TypedDict\n"
        + GOOD.replace(
            "class TinyInference", "class Rows(TypedDict):\n    inputs: np.ndarray\n\n\nclass TinyInference"
        ).replace(PREDICT, "def _predict(self, input_data: Rows) -> InferenceData:")
    ),
    "keyword only": predict("def _predict(self, *, input_data: InferenceData) -> InferenceData:"),
    "one more parameter": predict("def _predict(self, input_data: InferenceData, extra) -> InferenceData:"),
    "one more with a default": predict("def _predict(self, input_data: InferenceData, extra=1) -> InferenceData:"),
    "wrapped predict": one(
        "import functools\n\ndef timed(f):\n    @functools.wraps(f)\n    def inner(*args, **kwargs):\n        return f(*args, **kwargs)\n    return inner\n\n"
        + GOOD.replace("    def _predict", "    @timed\n    def _predict")
    ),
    "unwrapped predict": one(
        "def timed(f):\n    def inner(*args, **kwargs):\n        return f(*args, **kwargs)\n    return inner\n\n"
        + GOOD.replace("    def _predict", "    @timed\n    def _predict")
    ),
    "static predict": one(
        GOOD.replace("    def _predict(self, ", "    @staticmethod\n    def _predict(").replace(
            "@ self.model.w", "@ np.arange(4.0)"
        )
    ),
    # Names
    "bases imported as": one(
        GOOD.replace("import Inference\n", "import Inference as Base\n")
        .replace("(Inference)", "(Base)")
        .replace("@Inference", "@Base")
    ),
    "builder imported as": one(
        GOOD.replace("import InferenceBuilder\n", "import InferenceBuilder as Base\n").replace(
            "(InferenceBuilder)", "(Base)"
        )
    ),
    "module imported as": one(
        GOOD.replace("from mac.inference import Inference\n", "import mac.inference as mi\n")
        .replace("(Inference)", "(mi.Inference)")
        .replace("@Inference", "@mi.Inference")
    ),
    "modules imported plainly": one(
        GOOD.replace("from mac.inference import Inference\n", "import mac.inference\n")
        .replace("from mac.inference.creation import InferenceBuilder\n", "import mac.inference.creation\n")
        .replace("(Inference)", "(mac.inference.Inference)")
        .replace("@Inference", "@mac.inference.Inference")
        .replace("(InferenceBuilder)", "(mac.inference.creation.InferenceBuilder)")
    ),
    "deep modules": one(
        GOOD.replace(
            "from mac.inference import Inference\n", "from mac.inference.inference import Inference\n"
        ).replace("from mac.inference.creation import", "from mac.inference.creation.inference_builder import")
    ),
    "star imports": one(
        GOOD.replace("import Inference\n", "import *\n").replace("import InferenceBuilder\n", "import *\n")
    ),
    "assigned base": one(
        GOOD.replace("class TinyInference(Inference)", "Base = Inference\n\n\nclass TinyInference(Base)")
    ),
    "builder with a second name": one(GOOD + "\n\nBuilder = TinyBuilder\n"),
    "inference with a second name": one(GOOD + "\n\nModel = TinyInference\n"),
    "builder called InferenceBuilder": one(
        GOOD.replace("from mac.inference.creation import InferenceBuilder\n", "import mac.inference.creation as mc\n")
        .replace("(InferenceBuilder)", "(mc.InferenceBuilder)")
        .replace("class TinyBuilder", "class InferenceBuilder")
    ),
    "inference renamed to Inference": one(
        GOOD.replace("from mac.inference import Inference\n", "import mac.inference as mi\n")
        .replace("(Inference)", "(mi.Inference)")
        .replace("@Inference", "@mi.Inference")
        .replace("TinyInference", "Inference")
    ),
    "config class not there": one(GOOD.replace("CustomInferenceConfig", "InferenceConfig")),
    "unknown name of mac": one("from mac.config.python_step import CustomStepConfig\n" + GOOD),
    # Classes elsewhere
    "inference from artifacts": {
        "main.py": HERE.format("/ 'artifacts'") + "from parts import Linear, TinyInference\n" + IMPORTS + BUILDER,
        "artifacts/parts.py": IMPORTS + LINEAR + INFERENCE,
    },
    "base from artifacts": {
        "main.py": HERE.format("/ 'artifacts'")
        + "from parts import Base, Linear\n"
        + IMPORTS
        + INFERENCE.replace("(Inference)", "(Base)")
        + BUILDER,
        "artifacts/parts.py": IMPORTS
        + LINEAR
        + "\n\nclass Base(Inference):\n    def helper(self):\n        return 1\n",
    },
    "everything from artifacts": {
        "main.py": HERE.format("/ 'artifacts'") + "from parts import TinyBuilder, TinyInference\n",
        "artifacts/parts.py": GOOD,
    },
    "inference from a sibling file": {
        "main.py": HERE.format("") + "from parts import Linear, TinyInference\n" + IMPORTS + BUILDER,
        "parts.py": IMPORTS + LINEAR + INFERENCE,
    },
    "model from a base": one(
        IMPORTS
        + LINEAR
        + "\n\nclass Base:\n    @property\n    def model(self):\n        return self._model\n\n    @model.setter\n    def model(self, model):\n        self._model = model\n"
        + INFERENCE.replace("(Inference)", "(Base, Inference)").replace(SETTER, "")
        + BUILDER
    ),
    "mixin with predict": one(
        IMPORTS
        + LINEAR
        + "\n\nclass Mixin:\n    def _predict(self, input_data: InferenceData) -> InferenceData:\n        return {'predictions': input_data['inputs'] @ self.model.w}\n"
        + INFERENCE[: INFERENCE.index("    def _predict")].replace("(Inference)", "(Mixin, Inference)")
        + BUILDER
    ),
    "nested class": one(GOOD + "\n\nclass Holder:\n    class Other(Inference):\n        pass\n"),
    "class in a function": one(GOOD + "\n\ndef make():\n    class Other(Inference):\n        pass\n    return Other\n"),
    "deleted base": one(
        IMPORTS
        + LINEAR
        + "\n\nclass Base(Inference):\n    pass\n"
        + INFERENCE.replace("(Inference)", "(Base)")
        + BUILDER
        + "\n\ndel Base\n"
    ),
    "conditional definition": one(
        IMPORTS
        + LINEAR
        + "\nimport sys\nif sys.version_info >= (3, 8):\n    Base = Inference\nelse:\n    Base = object\n"
        + INFERENCE.replace("(Inference)", "(Base)")
        + BUILDER
    ),
    "second class in dead code": one(GOOD + "\n\nif False:\n    class Other(Inference):\n        pass\n"),
    "main guard": one(
        GOOD
        + "\n\nif __name__ == '__main__':\n    class Other(Inference):\n        pass\n    import not_installed_anywhere\n"
    ),
    "try import": one(
        "try:\n    import not_installed_anywhere\nexcept ImportError:\n    not_installed_anywhere = None\n" + GOOD
    ),
    "try import of mac": one(
        GOOD.replace(
            "from mac.inference import Inference\n",
            "try:\n    from mac.inference import Inference\nexcept ImportError:\n    Inference = object\n",
        )
    ),
    "type checking import": one(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from not_installed_anywhere import X\n" + GOOD
    ),
    "type checking name used": one(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pathlib import Path\n"
        + GOOD.replace("def __init__(self):\n", "def __init__(self, path: Path = None):\n")
    ),
    "decorated class": one(
        "def register(cls):\n    return cls\n\n" + GOOD.replace("class TinyInference", "@register\nclass TinyInference")
    ),
    "generic base": one(
        "from typing import Generic, TypeVar\nT = TypeVar('T')\n"
        + GOOD.replace("(Inference)", "(Inference, Generic[T])")
    ),
    "dataclass": one(
        "from dataclasses import dataclass\n"
        + GOOD.replace(
            "class Linear:\n    def __init__(self):\n        self.w = np.arange(4.0)\n",
            "@dataclass\nclass Linear:\n    n: int = 4\n\n    @property\n    def w(self):\n        return np.arange(4.0)\n",
        )
    ),
    "postponed dataclass": one(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        + GOOD.replace(
            "class Linear:\n    def __init__(self):\n        self.w = np.arange(4.0)\n",
            "@dataclass\nclass Linear:\n    n: int = 4\n\n    @property\n    def w(self):\n        return np.arange(4.0)\n",
        )
    ),
    "dataclass with a quoted field": one(
        "from dataclasses import dataclass\n"
        + GOOD.replace(
            "class Linear:\n    def __init__(self):\n        self.w = np.arange(4.0)\n",
            "@dataclass\nclass Linear:\n    n: 'int' = 4\n\n    @property\n    def w(self):\n        return np.arange(4.0)\n",
        )
    ),
    # Missing parts
    "empty file": one(""),
    "no inference": one(
        IMPORTS
        + LINEAR
        + INFERENCE.replace("(Inference)", "(object)")
        .replace("@Inference.model.setter", "@property")
        .replace("self._raise_error_if_model_is_wrong_type(model)", "pass")
        .replace("def model(self, model) -> None", "def model(self)")
        .replace("self._model = model", "return Linear()")
        + BUILDER.replace("inference.model = Linear()", "pass")
        + "\n"
    ),
    "no builder": one(IMPORTS + LINEAR + INFERENCE),
    "no create": one(GOOD[: GOOD.index("    def create")]),
    "no inference property": one(
        GOOD.replace(
            "    @property\n    def inference(self) -> TinyInference:\n        return TinyInference()\n\n", ""
        ).replace("self.inference\n", "TinyInference()\n")
    ),
    "inference a method": one(
        GOOD.replace("    @property\n    def inference", "    def inference").replace(
            "self.inference\n", "self.inference()\n"
        )
    ),
    "no _predict": one(GOOD.replace("def _predict", "def _prediction")),
    "no expected types": one(GOOD.replace("expected_model_types", "model_types")),
    "create returns nothing": one(GOOD.replace("        return inference\n", "")),
    "create without config": one(GOOD.replace("create(self, config: CustomInferenceConfig)", "create(self)")),
    "create with more": one(GOOD.replace("create(self, config: CustomInferenceConfig)", "create(self, config, more)")),
    "async create": one(GOOD.replace("def create", "async def create")),
    "builder needs an argument": one(
        GOOD.replace(
            "    @property\n    def inference",
            "    def __init__(self, x):\n        self.x = x\n\n    @property\n    def inference",
        )
    ),
    "async _predict in Inference": one(GOOD.replace("def _predict", "async def _predict")),
    "async predict in Inference": one(
        GOOD.replace(
            "def _predict",
            "async def predict(self, input_data: InferenceData) -> InferenceData:\n        return await self._predict(input_data)\n\n    async def _predict",
        )
    ),
    "model passed to the constructor": one(
        GOOD.replace(
            "    @property\n    def expected_model_types",
            "    def __init__(self, model=None):\n        super().__init__()\n        self._model = model\n\n    @property\n    def expected_model_types",
        )
        .replace("return TinyInference()", "return TinyInference(Linear())")
        .replace("        inference.model = Linear()\n", "")
    ),
    "own model property": one(
        GOOD.replace(SETTER, "    @property\n    def model(self):\n        return Linear()\n\n").replace(
            "        inference.model = Linear()\n", ""
        )
    ),
    "predict overridden": one(
        GOOD.replace(
            "def _predict",
            "def predict(self, input_data):\n        return {'predictions': input_data['inputs'] @ np.arange(4.0)}\n\n    def _predict",
        ).replace("        inference.model = Linear()\n", "")
    ),
    # Import time
    "undefined name": one(GOOD + "\n\nLIMIT = MAXIMUM * 2\n"),
    "undefined decorator": one(GOOD.replace("class TinyInference", "@register\nclass TinyInference")),
    "undefined default": one(GOOD + "\n\ndef f(x=UNKNOWN):\n    return x\n"),
    "undefined in a function": one(GOOD + "\n\ndef f():\n    return UNKNOWN\n"),
    "environment variable": one("import os\nKEY = os.environ['SOME_KEY_THAT_NOBODY_SETS']\n" + GOOD),
    "environment variable with a default": one(
        "import os\nKEY = os.environ.get('SOME_KEY_THAT_NOBODY_SETS', 'x')\nHOME = os.getenv('NOT_SET_AT_ALL')\n" + GOOD
    ),
    "raises": one(GOOD + "\n\nraise RuntimeError('no')\n"),
    "exits": one("import sys\n" + GOOD + "\n\nsys.exit(1)\n"),
    "relative import at the top": {"main.py": "from .helper import X\n" + GOOD, "helper.py": "X = 1\n"},
    "relative import of a folder": {"main.py": "from . import helper\n" + GOOD, "helper.py": "X = 1\n"},
    "syntax error": one(GOOD + "\n\ndef f(:\n"),
    "missing name of a sibling": {
        "main.py": HERE.format("/ 'artifacts'") + "from parts import Missing\n" + GOOD,
        "artifacts/parts.py": "X = 1\n",
    },
    "missing module in a package": {
        "main.py": HERE.format("/ 'artifacts'") + "import pkg.missing\n" + GOOD,
        "artifacts/pkg/__init__.py": "",
    },
    "package in artifacts with relative imports": {
        "main.py": HERE.format("/ 'artifacts'") + "from pkg import X\n" + GOOD,
        "artifacts/pkg/__init__.py": "from .helper import X\nfrom . import other\n",
        "artifacts/pkg/helper.py": "from ..pkg.other import Y\nX = Y\n",
        "artifacts/pkg/other.py": "Y = 1\n",
    },
    "namespace package": {
        "main.py": HERE.format("/ 'artifacts'")
        + "from space.part import X\nimport space.part\nfrom space import part\n"
        + GOOD,
        "artifacts/space/part.py": "X = 1\n",
    },
    "failing package in artifacts": {
        "main.py": HERE.format("/ 'artifacts'") + "import pkg\n" + GOOD,
        "artifacts/pkg/__init__.py": "import not_here\n",
        "artifacts/unrelated/not_here.py": "",
    },
    "sibling imported lazily": {
        "main.py": GOOD + "\n\ndef unused():\n    import helper\n    return helper\n",
        "helper.py": "X = 1\n",
    },
    "name from a circular import": {
        "main.py": HERE.format("/ 'artifacts'") + "from one import A\n" + GOOD,
        "artifacts/one.py": "import two\nA = 1\n",
        "artifacts/two.py": "import one\ndef f():\n    return one.A\n",
    },
    "lazy module attribute": {
        "main.py": HERE.format("/ 'artifacts'") + "from pkg import anything\n" + GOOD,
        "artifacts/pkg/__init__.py": "def __getattr__(name):\n    return 1\n",
    },
    "a main file in a sub-folder": {"main.py": GOOD, "tools/main.py": "X = 1\n"},
    "inference in a sub-folder": {"main.py": GOOD, "tools/other.py": GOOD},
    "self-made class": one(GOOD + "\n\nOther = type('Other', (object,), {})\n"),
}
TYPES_PROPERTY = """    @property
    def expected_model_types(self) -> Set[Any]:
        return {Linear}
"""
SETTER_ONLY = SETTER.rstrip() + "\n"
CASES |= {
    # Other ways to write the same
    "types as property()": swapped(TYPES_PROPERTY, "    expected_model_types = property(lambda self: {Linear})\n"),
    "types as a set": swapped(TYPES_PROPERTY, "    expected_model_types = {Linear}\n"),
    "types as a cached property": one(
        "from functools import cached_property\n"
        + GOOD.replace("@property\n    def expected_model_types", "@cached_property\n    def expected_model_types")
    ),
    "model as property()": swapped(
        SETTER_ONLY,
        "    model = property(lambda self: self._model, lambda self, model: setattr(self, '_model', model))\n",
    ),
    "model as an attribute": swapped(SETTER_ONLY, "    model = None\n"),
    "predict assigned": one(
        GOOD.replace(
            "class TinyInference",
            "def run(self, input_data: InferenceData) -> InferenceData:\n    return {'predictions': input_data['inputs'] @ self.model.w}\n\n\nclass TinyInference",
        ).replace(
            "    " + PREDICT + '\n        return {"predictions": input_data["inputs"] @ self.model.w}\n',
            "    _predict = run\n",
        )
    ),
    "predict assigned untyped": one(
        GOOD.replace(
            "class TinyInference",
            "def run(self, input_data):\n    return {'predictions': input_data['inputs'] @ self.model.w}\n\n\nclass TinyInference",
        ).replace(
            "    " + PREDICT + '\n        return {"predictions": input_data["inputs"] @ self.model.w}\n',
            "    _predict = run\n",
        )
    ),
    "inference as an attribute": one(
        GOOD.replace(
            "    @property\n    def inference(self) -> TinyInference:\n        return TinyInference()\n",
            "    inference = TinyInference()\n",
        )
    ),
    "static create": one(
        GOOD.replace("    def create(self, config", "    @staticmethod\n    def create(config").replace(
            "self.inference", "TinyInference()"
        )
    ),
    "create with any arguments": one(
        GOOD.replace("def create(self, config: CustomInferenceConfig)", "def create(self, *args, **kwargs)")
    ),
    "create that only raises": one(
        GOOD.replace(
            "        inference.model = Linear()\n        return inference\n",
            "        inference.model = Linear()\n        if config is None:\n            raise ValueError\n        return inference\n",
        )
    ),
    "metaclass": one("from abc import ABCMeta\n" + GOOD.replace("(Inference)", "(Inference, metaclass=ABCMeta)")),
    "two bases": one(GOOD.replace("(Inference)", "(Inference, object)")),
    "model by setattr": one(GOOD.replace("inference.model = Linear()", "setattr(inference, 'model', Linear())")),
    "model by a helper": one(
        GOOD.replace("inference.model = Linear()", "assign(inference)")
        + "\n\ndef assign(thing):\n    thing.model = Linear()\n"
    ),
    "model in the constructor": one(
        GOOD.replace(
            "    @property\n    def expected_model_types",
            "    def __init__(self):\n        super().__init__()\n        self.model = Linear()\n\n    @property\n    def expected_model_types",
        ).replace("        inference.model = Linear()\n", "")
    ),
    "path with osp": {
        "main.py": "import sys\nfrom os import path as osp\nsys.path.append(osp.join(osp.dirname(osp.realpath(__file__)), 'artifacts'))\nimport helper\n"
        + GOOD,
        "artifacts/helper.py": "X = 1\n",
    },
    "path assigned": {
        "main.py": "import sys, os\nsys.path = [os.path.dirname(__file__)] + sys.path\nimport helper\n" + GOOD,
        "helper.py": "",
    },
    "wrong folder on the path": {
        "main.py": HERE.format("/ 'lib'") + "import helper\n" + GOOD,
        "artifacts/helper.py": "",
    },
    "path outside": {
        "main.py": "import sys\nfrom pathlib import Path\nsys.path.append(str(Path(__file__).resolve().parent.parent))\nimport helper\n"
        + GOOD,
        "helper.py": "",
    },
    "abstract method of an own mixin": one(
        "from abc import abstractmethod\n"
        + GOOD.replace(
            "class TinyInference",
            "class Mixin:\n    @abstractmethod\n    def extra(self): ...\n\n\nclass TinyInference",
        ).replace("(Inference)", "(Mixin, Inference)")
    ),
    "abstract method of an own abstract base": {
        "main.py": HERE.format("/ 'artifacts'") + "from parts import Base\n" + GOOD.replace("(Inference)", "(Base)"),
        "artifacts/parts.py": "from abc import abstractmethod\nfrom mac.inference import Inference\n\n\nclass Base(Inference):\n    @abstractmethod\n    def extra(self): ...\n",
    },
    "path after the import": {
        "main.py": "import sys\nimport helper\nsys.path.append(str(__file__))\n" + GOOD,
        "artifacts/helper.py": "",
    },
    "import_module": {
        "main.py": "import importlib\nhelper = importlib.import_module('helper')\n" + GOOD,
        "artifacts/helper.py": "",
    },
    "import_module after path": {
        "main.py": HERE.format("/ 'artifacts'")
        + "import importlib\nhelper = importlib.import_module('helper')\n"
        + GOOD,
        "artifacts/helper.py": "",
    },
    "suppressed import": one(
        "import contextlib\nwith contextlib.suppress(ImportError):\n    import not_installed_anywhere\n" + GOOD
    ),
    "import caught as Exception": one(
        "try:\n    import not_installed_anywhere as nia\nexcept Exception:\n    nia = None\n" + GOOD
    ),
    "import not caught": one(
        "try:\n    import not_installed_anywhere as nia\nexcept ValueError:\n    nia = None\n" + GOOD
    ),
    "import in the handler": one(
        "try:\n    import not_installed_anywhere as nia\nexcept ImportError:\n    import json as nia\n" + GOOD
    ),
    "import missing in the handler": one(
        "try:\n    import not_installed_anywhere as nia\nexcept ImportError:\n    import neither_installed as nia\n"
        + GOOD
    ),
    "undeclared import": one("import not_installed_anywhere\n" + GOOD),
    "old version branch": one("import sys\nif sys.version_info < (3, 6):\n    import not_installed_anywhere\n" + GOOD),
    "not main guard": one(
        GOOD + "\n\nif not __name__ == '__main__':\n    X = 1\nelse:\n    class Other(Inference):\n        pass\n"
    ),
    "name from globals": one("globals()['MAXIMUM'] = 1\n" + GOOD + "\n\nLIMIT = MAXIMUM * 2\n"),
    "name from a loop": one("for MAXIMUM in range(3):\n    pass\n" + GOOD + "\n\nLIMIT = MAXIMUM * 2\n"),
    "name from a walrus": one("if (MAXIMUM := 3) > 2:\n    pass\n" + GOOD + "\n\nLIMIT = MAXIMUM * 2\n"),
    "name from with": one(
        "import io\nwith io.StringIO() as handle:\n    handle.write('x')\n" + GOOD + "\n\nNAME = handle\n"
    ),
    "names of comprehensions": one(
        GOOD
        + "\n\nX = [a + b for a in range(3) for b in range(a)]\nY = {k: v for k, v in zip('ab', range(2))}\nZ = sorted([3], key=lambda item: item)\n"
    ),
    "class body names": one(GOOD + "\n\nclass Settings:\n    a = 1\n    b = a + 1\n    names = [x for x in 'ab']\n"),
    "undefined in a class body": one(GOOD + "\n\nclass Settings:\n    a = UNKNOWN\n"),
    "undefined annotation": one(GOOD + "\n\ndef f(x: Unknown) -> int:\n    return 1\n"),
    "undefined annotation postponed": one(
        "from __future__ import annotations\n"
        + GOOD.replace("class TinyBuilder", "def f(x: Unknown) -> int:\n    return 1\n\n\nclass TinyBuilder")
    ),
    "undefined annotation of a local": one(GOOD + "\n\ndef f():\n    x: Unknown = 1\n    return x\n"),
    "undefined base": one(GOOD + "\n\nclass Other(Unknown):\n    pass\n"),
    "caught NameError": one("try:\n    UNKNOWN\nexcept NameError:\n    pass\n" + GOOD),
    "exits when run": one(
        "import sys\n" + GOOD + "\n\ndef main():\n    sys.exit(0)\n\n\nif __name__ == '__main__':\n    main()\n"
    ),
    "environment set first": one("import os\nos.environ['MY_OWN_KEY'] = '1'\nKEY = os.environ['MY_OWN_KEY']\n" + GOOD),
    "environment caught": one(
        "import os\ntry:\n    KEY = os.environ['SOME_KEY_THAT_NOBODY_SETS']\nexcept KeyError:\n    KEY = ''\n" + GOOD
    ),
    "environment in a function": one(
        "import os\n\ndef key():\n    return os.environ['SOME_KEY_THAT_NOBODY_SETS']\n" + GOOD
    ),
    # Annotations, continued
    "typing imported as": one(
        GOOD.replace("from typing import", "import typing as t\nfrom typing import").replace(
            PREDICT, "def _predict(self, input_data: t.Dict[str, np.ndarray]) -> t.Dict[str, np.ndarray]:"
        )
    ),
    "ndarray imported": one(
        GOOD.replace("import numpy as np", "import numpy as np\nfrom numpy import ndarray as Array").replace(
            PREDICT, "def _predict(self, input_data: Dict[str, Array]) -> Dict[str, Array]:"
        )
    ),
    "ArrayLike": predict("def _predict(self, input_data: Dict[str, npt.ArrayLike]) -> InferenceData:"),
    "data from elsewhere in mac": one(GOOD.replace("from mac.types import", "from mac.inference.inference import")),
    "NewType": one(
        "from typing import NewType\n"
        + GOOD.replace(
            "class TinyInference", "Arrays = NewType('Arrays', Dict[str, np.ndarray])\n\n\nclass TinyInference"
        ).replace(PREDICT, "def _predict(self, input_data: Arrays) -> InferenceData:")
    ),
    "TypeVar": one(
        "from typing import TypeVar\n"
        + GOOD.replace(
            "class TinyInference", "Arrays = TypeVar('Arrays', bound=Dict[str, np.ndarray])\n\n\nclass TinyInference"
        ).replace(PREDICT, "def _predict(self, input_data: Arrays) -> InferenceData:")
    ),
    "union with None": predict("def _predict(self, input_data: InferenceData | None) -> InferenceData:"),
    "array or None": predict("def _predict(self, input_data: Dict[str, np.ndarray | None]) -> InferenceData:"),
    "Annotated": predict(
        "def _predict(self, input_data: Annotated[Dict[str, np.ndarray], 1]) -> InferenceData:",
        "from typing import Annotated\n",
    ),
    "own dictionary class": one(
        GOOD.replace(
            "class TinyInference", "class Arrays(Dict[str, np.ndarray]):\n    pass\n\n\nclass TinyInference"
        ).replace(PREDICT, "def _predict(self, input_data: Arrays) -> InferenceData:")
    ),
    "alias under a condition": one(
        GOOD.replace(
            "class TinyInference",
            "if np.pi > 3:\n    Arrays = Dict[str, np.ndarray]\nelse:\n    Arrays = InferenceData\n\n\nclass TinyInference",
        ).replace(PREDICT, "def _predict(self, input_data: Arrays) -> InferenceData:")
    ),
    "TypeAlias": one(
        "from typing import TypeAlias\n"
        + GOOD.replace(
            "class TinyInference", "Arrays: TypeAlias = Dict[str, np.ndarray]\n\n\nclass TinyInference"
        ).replace(PREDICT, "def _predict(self, input_data: Arrays) -> Arrays:")
    ),
    "only the return quoted": predict('def _predict(self, input_data: InferenceData) -> "InferenceData":'),
    "list of arrays": predict("def _predict(self, input_data: InferenceData) -> List[np.ndarray]:"),
    # Newer Pythons
    "match": one(GOOD + "\n\ndef f(x):\n    match x:\n        case 1:\n            return 2\n"),
    "union at import": one(GOOD + "\n\ndef f(x: int | None = None):\n    return x\n"),
    "union postponed": one(
        "from __future__ import annotations\n"
        + GOOD.replace(PREDICT, "def _predict(self, input_data):")
        + "\n\ndef f(x: int | None = None, y: list[int] = ()):\n    return x\n"
    ),
    "union in a string": one(GOOD + "\n\ndef f(x: 'int | None' = None):\n    return x\n"),
    "union of numbers": one(
        GOOD + "\n\nFLAGS = 1 | 2\nSETS = {1} | {2}\nimport re\nPATTERN = re.compile('x', re.I | re.M)\n"
    ),
    "generic of a builtin": one(GOOD + "\n\nNames = list[str]\n"),
    "alias of dict": one(
        GOOD.replace("class TinyInference", "Arrays = dict[str, np.ndarray]\n\n\nclass TinyInference").replace(
            PREDICT, "def _predict(self, input_data: Arrays) -> Arrays:"
        )
    ),
    "alias of a typing union of generics": one(
        GOOD + "\n\nNames = Optional[List[str]]\nOther = Union[List[str], Dict[str, int]]\n"
    ),
    "alias of an abstract generic": one(
        "from collections.abc import Callable, Sequence\n" + GOOD + "\n\nFunction = Callable[[int], str]\n"
    ),
    "alias of a collections generic": one(
        "import collections\n" + GOOD + "\n\nNames = collections.OrderedDict[str, int]\n"
    ),
    "alias from a sibling module": {
        "main.py": HERE.format("/ 'artifacts'") + "from shapes import Arrays\n" + GOOD,
        "artifacts/shapes.py": "Arrays = dict[str, int]\n",
    },
    "alias in a class": one(GOOD + "\n\nclass Settings:\n    Names = list[str]\n"),
    "alias in a sibling module only": {
        "main.py": HERE.format("/ 'artifacts'") + "import shapes\n" + GOOD,
        "artifacts/shapes.py": "Arrays = dict[str, int]\n",
    },
    "alias deleted": one(GOOD + "\n\nNames = list[str]\ndel Names\n"),
    "NDArray imported": one("from numpy.typing import NDArray\n" + GOOD),
    "NDArray alias": one(GOOD + "\n\nFloats = npt.NDArray[np.float64]\n"),
    "ndarray alias": one(GOOD + "\n\nFloats = np.ndarray[Any, np.dtype[np.float64]]\n"),
    "union alias": one(GOOD + "\n\nNumber = int | float\n"),
    "pattern alias": one("import re\n" + GOOD + "\n\nPattern = re.Pattern[str]\n"),
    "generic in a function": one(GOOD + "\n\ndef f():\n    names: list[str] = []\n    return names\n"),
    "generic of collections.abc": one(
        "from collections.abc import Sequence\n" + GOOD + "\n\ndef f(x: Sequence[int]):\n    return x\n"
    ),
    "list subscripted by name": one(GOOD + "\n\nlist_ = [1, 2]\nFIRST = list_[0]\n"),
    "own class called list": one(
        GOOD + "\n\nclass Names:\n    def __class_getitem__(cls, item):\n        return cls\n\nX = Names[int]\n"
    ),
    "parenthesised with": one(GOOD + "\n\ndef f():\n    with (open('a') as a, open('b') as b):\n        return a, b\n"),
    "with a tuple": one(GOOD + "\n\ndef f(a, b):\n    with (a if a else b):\n        return 1\n"),
    "decorator expression": one(GOOD + "\n\n@(lambda f: f)\ndef f():\n    return 1\n"),
    "positional only, walrus, f=": one(
        GOOD + "\n\ndef f(a, /, b=1):\n    if (n := a) > 1:\n        return f'{n=}'\n    return b\n"
    ),
    "functools.cache": one("from functools import cache\n" + GOOD),
    "functools.lru_cache": one("from functools import lru_cache, cached_property\n" + GOOD),
    "tomllib": one("import tomllib\n" + GOOD),
    "tomllib caught": one("try:\n    import tomllib\nexcept ModuleNotFoundError:\n    tomllib = None\n" + GOOD),
    "zoneinfo": one("from zoneinfo import ZoneInfo\n" + GOOD),
    "distutils": one("from distutils.version import LooseVersion\n" + GOOD),
    "Self": one("from typing import Self\n" + GOOD),
    "merged dictionaries": one(GOOD + "\n\nX = {'a': 1} | {'b': 2}\n"),
    "dataclass with slots": one(
        "from dataclasses import dataclass\n" + GOOD + "\n\n@dataclass(slots=True)\nclass Point:\n    x: int = 1\n"
    ),
    "walrus class": one(GOOD + "\n\nprint(total := 3)\n"),
}
for _name, _start in SYS_PATH_WAYS.items():
    CASES[f"path by {_name}"] = {"main.py": _start + "import helper\n" + GOOD, "helper.py": "X = 1\n"}
