"""Python steps, judged from their text; the platform's own loader is asked the same."""

from __future__ import annotations

import ast
import json
import textwrap
import zipfile
from pathlib import Path

import pytest

from hatch_wallaroo.config.spec import Project, RequirementsFrom
from hatch_wallaroo.findings import Finding
from hatch_wallaroo.frameworks.step.family import PythonStep
from support import step_cases
from support.factory import make_spec
from support.fronts import REPOSITORY
from support.peers import run_in

ORACLE = Path(__file__).parents[1] / "support" / "step_oracle.py"


def inspected(root: Path, model: str, release: str = "2026.1", **options):
    spec = make_spec(root, "python", release=release, model=model, **options)
    planned = PythonStep().plan(spec)
    if planned.layout is None:
        return None, list(planned.findings)
    return planned.layout, [*planned.findings, *PythonStep().inspect(spec, planned.layout).findings]


def written(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def in_a_file(tmp_path, text: str, release: str = "2026.1", **options) -> list[Finding]:
    written(tmp_path, {"step.py": text})
    return inspected(tmp_path, "step.py", release, **options)[1]


def codes(findings: list[Finding]) -> list[str]:
    return [each.code for each in findings if each.is_error]


@pytest.mark.parametrize("name", step_cases.RIGHT)
def test_a_right_step(tmp_path, name) -> None:
    assert in_a_file(tmp_path, step_cases.RIGHT[name]) == []


@pytest.mark.parametrize("name", step_cases.WRONG)
def test_a_wrong_step(tmp_path, name) -> None:
    code, text = step_cases.WRONG[name]
    if name in {"except*", "match of 3.12"} and not parses(text):
        code = "WLR447"
    findings = in_a_file(tmp_path, text)
    assert set(codes(findings)) == {code}, findings
    assert all(each.fix and (each.place.file or each.place.key) for each in findings)


def parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


@pytest.mark.parametrize(
    ("release", "model", "reading", "fix"),
    [
        ("2026.1", "step", "open('rate.txt')", 'write Path(__file__).parent / "rate.txt"'),
        ("2026.1", "step", "open('/home/jo/rate.txt')", 'write Path(__file__).parent / "rate.txt"'),
        (
            "2026.1",
            "step",
            "open('a/b.txt')",
            'put the file into step, and write Path(__file__).parent / "a" / "b.txt"',
        ),
        (
            "2026.1",
            "step/step.py",
            "open('rate.txt')",
            "put step/step.py and the file into a folder, name that in `model`, and write Path(__file__).parent",
        ),
        (
            "2023.2.1",
            "step/step.py",
            "open('rate.txt')",
            'put what it holds into this file, or use framework = "custom"',
        ),
    ],
)
def test_the_fix_of_a_path_begins_at_the_steps_own_place(tmp_path, release, model, reading, fix) -> None:
    text = step_cases.DATA + step_cases.STEP
    if release == "2023.2.1":
        text = "def wallaroo_json(data):\n    return data\n"
    written(tmp_path, {"step/step.py": f"from pathlib import Path\nRATE = {reading}\n{text}", "step/rate.txt": "3"})
    (found,) = inspected(tmp_path, model, release)[1]
    assert found.code == "WLR446"
    assert found.fix.startswith(fix)


@pytest.mark.parametrize("name", step_cases.FOLDERS)
def test_a_folder(tmp_path, name) -> None:
    code, files = step_cases.FOLDERS[name]
    written(tmp_path / "steps", files)
    layout, findings = inspected(tmp_path, "steps")
    assert (set(codes(findings)) or {None}) >= {code}, findings
    assert code or findings == []
    if code is None:
        assert {entry.path for entry in layout.entries} == {f"a-model/{each}" for each in files}


@pytest.fixture(scope="module")
def loader() -> dict[str, str]:
    """The loader of 2026.1.3 over the whole table, by name."""
    cases = {name: {"step.py": text} for name, text in step_cases.RIGHT.items()}
    cases |= {name: {"step.py": text} for name, (_, text) in step_cases.WRONG.items()}
    cases |= {name: files for name, (_, files) in step_cases.FOLDERS.items()}
    done = run_in("mac-2026.1.3", [str(ORACLE)], input=json.dumps(cases))
    assert done.returncode == 0, done.stderr
    answers: dict[str, str] = json.loads(done.stdout)
    return answers


@pytest.mark.peer
def test_the_loader_takes_what_is_right(loader) -> None:
    right = [*step_cases.RIGHT, *(name for name, (code, _) in step_cases.FOLDERS.items() if code is None)]
    # The helper is imported by the process's folder there, which a test does not change.
    assert {name: loader[name] for name in right} == dict.fromkeys(right, "ok")


@pytest.mark.peer
def test_the_loader_refuses_what_is_wrong(loader) -> None:
    wrong = [*step_cases.WRONG, *(name for name, (code, _) in step_cases.FOLDERS.items() if code is not None)]
    assert [name for name in wrong if loader[name] == "ok"] == []


CALLED = {
    "needs a variable": ("import os\nKEY = os.environ['SOME_KEY']\n", "    return input_data\n", "WLR446", "warning"),
    "needs a variable later": ("import os\n", "    return {'x': os.environ['SOME_KEY']}\n", "WLR446", "warning"),
    "reads beside itself": ("", "    open('means.json')\n    return input_data\n", "WLR446", "error"),
    "raises": ("", "    raise NotImplementedError\n", "WLR450", "error"),
    "raises for itself": (
        "try:\n    raise OSError\nexcept IOError:\n    pass\n",
        "    return input_data\n",
        None,
        None,
    ),
    "of NumPy 1.19": ("import numpy as np\n", "    return {'x': np.float(1)}\n", "WLR446", "error"),
    "not declared": ("import polars\n", "    return input_data\n", "WLR449", "warning"),
    "may be absent": (
        "try:\n    import polars\nexcept ImportError:\n    polars = None\n",
        "    return {}\n",
        None,
        None,
    ),
}


@pytest.mark.parametrize("name", CALLED)
def test_a_step_is_called(tmp_path, name) -> None:
    before, body, code, level = CALLED[name]
    text = before + step_cases.DATA + step_cases.STEP.replace("    return input_data\n", body)
    found = [(each.code, each.level.value) for each in in_a_file(tmp_path, text)]
    assert found == ([(code, level)] if code else []), found


def test_two_pythons_agree_on_types_at_the_top(tmp_path) -> None:
    text = "Row = list[int]\ndef wallaroo_json(data):\n    return data\n"
    assert codes(in_a_file(tmp_path, text, "2023.2.1")) == ["WLR447"]


def test_by_keyword_only_loads_and_fails_later(tmp_path) -> None:
    """Stricter than the loader: it compares names, and then calls the function without."""
    text = step_cases.DATA + step_cases.STEP.replace("(input", "(*, input")
    assert codes(in_a_file(tmp_path, text)) == ["WLR443"]


WALLAROO_JSON = [
    ("import pandas as pd\ndef wallaroo_json(data: pd.DataFrame):\n    return data\n", []),
    ("def wallaroo_json(data, top=1):\n    return data\n", []),
    ("def wallaroo_json(*data):\n    return data\n", []),
    ("from __future__ import annotations\ndef wallaroo_json(data: 'x'):\n    return data\n", []),
    ("wallaroo_json = lambda data: data\n", []),
    ("def wallaroo_json():\n    return 1\n", ["WLR443 error"]),
    ("def wallaroo_json(data, more):\n    return 1\n", ["WLR443 error"]),
    ("def wallaroo_json(data, *, more):\n    return 1\n", ["WLR443 error"]),
    ("async def wallaroo_json(data):\n    return data\n", ["WLR443 warning"]),
    ("def wallaroo_jsn(data):\n    return data\n", ["WLR441 error"]),
    ("wallaroo_json = 3\n", ["WLR441 error"]),
    ("class A:\n    def wallaroo_json(self, data): ...\n", ["WLR441 error"]),
    (step_cases.DATA + step_cases.STEP, ["WLR442 error"]),
    ("import torch\ndef wallaroo_json(data):\n    return data\n", ["WLR449 warning"]),
    ("import statsmodels.api as sm\ndef wallaroo_json(data):\n    return data\n", []),
    ("import helper\ndef wallaroo_json(data):\n    return data\n", ["WLR446 error"]),
    ("def wallaroo_json(data):\n    match data:\n        case _:\n            return data\n", ["WLR447 error"]),
]


@pytest.mark.parametrize(("text", "told"), WALLAROO_JSON, ids=range(len(WALLAROO_JSON)))
def test_a_step_up_to_2023(tmp_path, text, told) -> None:
    written(tmp_path, {"helper.py": ""})
    findings = in_a_file(tmp_path, text, "2023.2.1")
    assert [f"{each.code} {each.level.value}" for each in findings] == told, findings


def test_the_other_releases_form_says_how_to_mend_it(tmp_path) -> None:
    (found,) = in_a_file(tmp_path, "def wallaroo_json(data):\n    return data\n", "2024.1")
    assert "process_data" in found.message
    assert "def process_data(input_data: InferenceData) -> InferenceData" in found.fix
    (found,) = in_a_file(tmp_path, step_cases.DATA + step_cases.STEP, "2023.4")
    assert 'release = "2024.1"' in found.fix
    assert found.place.line == 2


def test_async_before_there_was_a_loop(tmp_path) -> None:
    text = step_cases.DATA + "async " + step_cases.STEP
    assert codes(in_a_file(tmp_path, text, "2024.2")) == ["WLR443"]


def test_more_arguments_with_defaults_where_only_annotations_are_compared(tmp_path) -> None:
    """`mac` 2024.1.0 looks at the annotations alone; 2024.4.4 counts the arguments."""
    text = step_cases.DATA + step_cases.STEP.replace("Data)", "Data, top=1)")
    assert codes(in_a_file(tmp_path, text, "2024.1")) == []
    assert codes(in_a_file(tmp_path, text, "2024.4")) == ["WLR443"]


@pytest.mark.parametrize(
    "text", ["def (\n", "\0", "(" * 100_000, "x = " + "-" * 100_000 + "1", "x = a" + ".b" * 50_000 + "\n"]
)
def test_hostile_text(tmp_path, text) -> None:
    findings = in_a_file(tmp_path, text)
    assert codes(findings)
    assert "Traceback" not in findings[0].message


def test_no_utf8(tmp_path) -> None:
    (tmp_path / "step.py").write_bytes(b"x = '\xff\xfe'\n")
    assert codes(inspected(tmp_path, "step.py")[1]) == ["WLR447"]
    (tmp_path / "step.py").write_bytes(
        ("# -*- coding: latin-1 -*-\n# \xfc\n" + step_cases.DATA + step_cases.STEP).encode("latin-1")
    )
    assert inspected(tmp_path, "step.py")[1] == []


class TestForms:
    def test_a_file_is_zipped(self, tmp_path) -> None:
        written(tmp_path, {"steps/scale.py": step_cases.DATA + step_cases.STEP})
        layout, findings = inspected(tmp_path, "steps/scale.py")
        assert findings == []
        assert (layout.form, layout.suffix) == ("zip", ".zip")
        assert [(entry.path, entry.label) for entry in layout.entries] == [("a-model/scale.py", "steps/scale.py")]

    def test_a_bare_file_up_to_2023(self, tmp_path) -> None:
        written(tmp_path, {"steps/scale.py": "def wallaroo_json(data):\n    return data\n"})
        layout, findings = inspected(tmp_path, "steps/scale.py", "2023.2.1")
        assert findings == []
        assert (layout.form, layout.suffix, layout.entries[0].path) == ("file", ".py", "scale.py")

    @pytest.mark.parametrize("top", ["", "step/"])
    def test_a_users_zip(self, tmp_path, top) -> None:
        with zipfile.ZipFile(tmp_path / "step.zip", "w") as archive:
            archive.writestr(f"{top}step.py", step_cases.DATA + step_cases.STEP)
            archive.writestr(f"{top}data/means.json", "{}")
        layout, findings = inspected(tmp_path, "step.zip")
        assert findings == []
        assert sorted(entry.path for entry in layout.entries) == ["a-model/data/means.json", "a-model/step.py"]

    @pytest.mark.parametrize(
        ("release", "model"), [("2023.2.1", "step"), ("2023.2.1", "step.txt"), ("2026.1", "step.txt")]
    )
    def test_what_is_no_step(self, tmp_path, release, model) -> None:
        written(tmp_path, {"step/step.py": "", "step.txt": ""})
        layout, findings = inspected(tmp_path, model, release)
        assert layout is None
        assert codes(findings) == ["WLR440"]

    def test_nothing_declared(self, tmp_path) -> None:
        for release in ("2023.2.1", "2026.1"):
            planned = PythonStep().plan(make_spec(tmp_path, "python", release=release))
            assert [each.code for each in planned.findings] == ["WLR440"]


class TestRequirements:
    PANDAS = "import pandas as pd\nimport sklearn\n" + step_cases.DATA + step_cases.STEP

    def text(self, layout) -> str | None:
        for entry in layout.entries:
            if entry.path == "a-model/requirements.txt":
                with entry.source.open() as stream:
                    return stream.read().decode()
        return None

    def test_none_is_written_where_nothing_is_required(self, tmp_path) -> None:
        written(tmp_path, {"step.py": step_cases.DATA + step_cases.STEP})
        layout, _ = inspected(tmp_path, "step.py")
        assert self.text(layout) is None

    def test_an_undeclared_package(self, tmp_path) -> None:
        found = in_a_file(tmp_path, self.PANDAS)
        assert [(each.code, each.place.line) for each in found] == [("WLR449", 2)]
        assert "scikit-learn" in found[0].fix

    def test_the_projects_dependencies(self, tmp_path) -> None:
        written(tmp_path, {"step.py": self.PANDAS})
        layout, findings = inspected(tmp_path, "step.py", project=Project("a", "1", ("scikit-learn==1.3.0",)))
        assert findings == []
        assert self.text(layout) is not None
        assert "scikit-learn==1.3.0" in self.text(layout)

    def test_a_folders_own_file(self, tmp_path) -> None:
        written(tmp_path, {"step/step.py": self.PANDAS, "step/requirements.txt": "scikit-learn==1.2.2\n"})
        layout, findings = inspected(tmp_path, "step")
        assert findings == []
        assert self.text(layout) == "scikit-learn==1.2.2\n"
        options = {"requirements": RequirementsFrom("list", lines=("scikit-learn==1.3.0",))}
        layout, findings = inspected(tmp_path, "step", **options)
        assert findings == []
        assert "scikit-learn==1.3.0" in self.text(layout)


@pytest.mark.parametrize(
    ("example", "model", "release"),
    [
        ("three-steps", "steps/scale.py", "2026.1"),
        ("three-steps", "steps/dollars.py", "2026.1"),
        ("python-step", "house_price_output.py", "2023.2.1"),
    ],
)
def test_the_examples(example, model, release) -> None:
    layout, findings = inspected(REPOSITORY / "example-projects" / example, model, release)
    assert layout is not None
    assert findings == []


@pytest.mark.peer
def test_the_examples_steps_load(tmp_path) -> None:
    """The real loader takes them, and they give what their samples say."""
    folder = REPOSITORY / "example-projects" / "three-steps"
    script = textwrap.dedent("""
        import json, sys
        from pathlib import Path
        import numpy as np
        from mac.config.python_step import CustomStepConfig
        from mac.io.custom_step_loaders import load_custom_step
        config = CustomStepConfig(framework="python", model_path=sys.argv[1], modules_to_include={Path(sys.argv[2])})
        sample = json.loads(Path(sys.argv[3]).read_text())
        rows = sample["inputs"]
        out = load_custom_step(config)({key: np.array([row[key] for row in rows]) for key in rows[0]})
        for key in sample["outputs"][0]:
            np.testing.assert_allclose(out[key], np.array([row[key] for row in sample["outputs"]]), rtol=1e-4)
    """)
    for name in ("scale", "dollars"):
        arguments = ["-c", script, str(folder / "steps"), f"{name}.py", str(folder / "samples" / f"{name}.json")]
        done = run_in("mac-2026.1.3", arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("model", ["model.onnx", None])
def test_what_is_no_step_is_told_with_a_line_to_write(tmp_path, model) -> None:
    written(tmp_path, {"model.onnx": "x"})
    _, (finding,) = inspected(tmp_path, model, "2023.2.1")
    assert finding.fix.endswith('model = "step.py"')
