"""Fixes of the table: what each makes of a pyproject.toml, and where there is none because it would be a guess."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.mending import HEAD, codes, mend, planned

STEP = "def wallaroo_json(data):\n    return [{'x': 1}]\n"


@dataclass(frozen=True)
class Case:
    """A table before and after; `code` is the finding that is mended, `files` what lies beside."""

    code: str
    before: str
    after: str
    files: dict[str, str] = field(default_factory=dict)


def made(root: Path, table: str, files: dict[str, str] | None = None) -> Path:
    (root / "pyproject.toml").write_bytes((HEAD + table).encode())
    for name, text in {"step.py": STEP, **(files or {})}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    return root


PLAIN = '[tool.wallaroo]\nframework = "python"\nmodel = "step.py"\n'
BYOP = """[tool.wallaroo]
framework = "custom"
input-schema = { x = "float64" }
output-schema = { x = "float64" }
"""
CODE = {
    "prices.py": "def load(folder):\n    return folder\n\n\ndef predict(model, inputs):\n    return inputs\n",
    "m.bin": "1",
}
FUNCTIONS = 'byop.load = "prices:load"\nbyop.predict = "prices:predict"\n'
SKLEARN = """[tool.wallaroo]
framework = "sklearn"
model = "m.pkl"
output-schema = { predictions = "int64" }
input-schema = """

MENDED = {
    "a name with an underscore": Case(
        "WLR030", f'{PLAIN}name = "my_model" # ours\n', f'{PLAIN}name = "my-model" # ours\n'
    ),
    "a name with capitals": Case("WLR032", f'{PLAIN}name = "MyModel"\n', f'{PLAIN}name = "mymodel"\n'),
    "a name of several models": Case(
        "WLR030",
        '[tool.wallaroo]\nframework = "python"\nmodel = "step.py"\n\n[tool.wallaroo.models.a]\n\n'
        '# the second\n[tool.wallaroo.models.b]\nname = "b.v2"\n',
        '[tool.wallaroo]\nframework = "python"\nmodel = "step.py"\n\n[tool.wallaroo.models.a]\n\n'
        '# the second\n[tool.wallaroo.models.b]\nname = "b-v2"\n',
    ),
    "a misspelt key": Case(
        "WLR011",
        '[tool.wallaroo]\nframework = "python"\n# the step\nmodell  =  "step.py"   # here\nrelease = "2023.2.1"\n',
        '[tool.wallaroo]\nframework = "python"\n# the step\nmodel  =  "step.py"   # here\nrelease = "2023.2.1"\n',
    ),
    "a key in another spelling": Case(
        "WLR011",
        f'{BYOP.replace("input-schema", "input_schema")}artifacts = ["m.bin"]\n{FUNCTIONS}',
        f'{BYOP}artifacts = ["m.bin"]\n{FUNCTIONS}',
        CODE,
    ),
    "a key in quotes": Case("WLR011", f'{PLAIN}"releese" = "2023.2.1"\n', f'{PLAIN}release = "2023.2.1"\n'),
    "a table's header": Case(
        "WLR011",
        '[tool.wallaroo]\nframework = "custom"\noutput-schema = { x = "float64" }\n\n# what comes in\n'
        '[tool.wallaroo.input-shema] # one row\nx = "float64"\n\n[tool.wallaroo.byop]\nload = "prices:load"\n'
        'predict = "prices:predict"\n',
        '[tool.wallaroo]\nframework = "custom"\noutput-schema = { x = "float64" }\n\n# what comes in\n'
        '[tool.wallaroo.input-schema] # one row\nx = "float64"\n\n[tool.wallaroo.byop]\nload = "prices:load"\n'
        'predict = "prices:predict"\n',
        CODE,
    ),
    "a key of an inner table": Case(
        "WLR011",
        f'{BYOP}[tool.wallaroo.byop]\nload = "prices:load" # l\npredikt = "prices:predict" # p\n',
        f'{BYOP}[tool.wallaroo.byop]\nload = "prices:load" # l\npredict = "prices:predict" # p\n',
        CODE,
    ),
    "a key of an inline table": Case(
        "WLR011",
        f'{BYOP}byop = {{ load = "prices:load", predikt = "prices:predict" }}\n',
        f'{BYOP}byop = {{ load = "prices:load", predict = "prices:predict" }}\n',
        CODE,
    ),
    "a dotted key": Case(
        "WLR011",
        f'{BYOP}byop.load = "prices:load"\nbyop.predikt = "prices:predict"\n',
        f"{BYOP}{FUNCTIONS}",
        CODE,
    ),
    "a key that belongs further in": Case(
        "WLR011",
        f'{BYOP}load = "prices:load" # the loader\nbyop.predict = "prices:predict"\n',
        f'{BYOP}byop.load = "prices:load" # the loader\nbyop.predict = "prices:predict"\n',
        CODE,
    ),
    "a key that belongs into a table with a header": Case(
        "WLR011",
        f'{BYOP}predict = "prices:predict" # lost\n\n[tool.wallaroo.byop]\nload = "prices:load"\n',
        f'{BYOP}\n[tool.wallaroo.byop]\nload = "prices:load"\npredict = "prices:predict"\n',
        CODE,
    ),
    "keys that make the inner table": Case(
        "WLR011",
        f'{BYOP}load = "prices:load" # the loader\npredict = "prices:predict"\n',
        f'{BYOP}byop.load = "prices:load" # the loader\nbyop.predict = "prices:predict"\n',
        CODE,
    ),
    "a string for a list": Case(
        "WLR010", f'{BYOP}artifacts = "m.bin"\n{FUNCTIONS}', f'{BYOP}artifacts = ["m.bin"]\n{FUNCTIONS}', CODE
    ),
    "true in quotes": Case(
        "WLR010",
        f'{BYOP}lock = "False" # not yet\n{FUNCTIONS}',
        f"{BYOP}lock = false # not yet\n{FUNCTIONS}",
        CODE,
    ),
    "a misspelt word": Case(
        "WLR014", f'{PLAIN}visibility = "Publik"\n', f'{PLAIN}visibility = "public"\n'
    ),
    "a misspelt architecture": Case(
        "WLR014",
        '[tool.wallaroo]\nframework = "python"\nrelease = "2024.1"\nmodel = "step.py"\narch = "X86"\n',
        '[tool.wallaroo]\nframework = "python"\nrelease = "2024.1"\nmodel = "step.py"\narch = "x86"\n',
    ),
    "a framework by another name": Case(
        "WLR022",
        '[tool.wallaroo]\nframework = "wallaroo_json"\nmodel = "step.py"\n',
        '[tool.wallaroo]\nframework = "python"\nmodel = "step.py"\n',
    ),
    "a framework in capitals": Case(
        "WLR022",
        '[tool.wallaroo]\nframework = "Python"\nmodel = "step.py"\n',
        '[tool.wallaroo]\nframework = "python"\nmodel = "step.py"\n',
    ),
    "backslashes": Case(
        "WLR041",
        "[tool.wallaroo]\nframework = \"python\"\nmodel = 'steps\\a.py'\n",
        '[tool.wallaroo]\nframework = "python"\nmodel = "steps/a.py"\n',
        {"steps/a.py": STEP},
    ),
    "backslashes in a list": Case(
        "WLR041",
        f"{BYOP}artifacts = ['models\\m.bin', \"m.bin\"]\n{FUNCTIONS}",
        f'{BYOP}artifacts = ["models/m.bin", "m.bin"]\n{FUNCTIONS}',
        {**CODE, "models/m.bin": "1"},
    ),
    "model for artifacts": Case(
        "WLR015", f'{BYOP}model = "m.bin" # all\n{FUNCTIONS}', f'{BYOP}artifacts = ["m.bin"] # all\n{FUNCTIONS}', CODE
    ),
    "a needless admission": Case(
        "WLR244",
        f'{BYOP}artifacts = ["m.bin", "tokens.json"]\ninclude-sensitive = ["m.bin", "tokens.json"]\n{FUNCTIONS}',
        f'{BYOP}artifacts = ["m.bin", "tokens.json"]\ninclude-sensitive = ["tokens.json"]\n{FUNCTIONS}',
        {**CODE, "tokens.json": '{"token": "ghp_' + "aB3dE5fG7hI9" * 3 + '"}'},
    ),
    "the only admission": Case(
        "WLR244",
        f'{BYOP}artifacts = ["m.bin"]\ninclude-sensitive = ["m.bin"]\n{FUNCTIONS}',
        f'{BYOP}artifacts = ["m.bin"]\n{FUNCTIONS}',
        CODE,
    ),
    "the one input of scikit-learn": Case(
        "WLR360",
        '[tool.wallaroo]\nframework = "sklearn"\nmodel = "m.pkl"\noutput-schema = { predictions = "int64" }\n\n'
        '[tool.wallaroo.input-schema]\nfeatures = "float64[4]" # sepals\n',
        '[tool.wallaroo]\nframework = "sklearn"\nmodel = "m.pkl"\noutput-schema = { predictions = "int64" }\n\n'
        '[tool.wallaroo.input-schema]\ninputs = "float64[4]" # sepals\n',
    ),
    "the index of a DataFrame": Case(
        "WLR667",
        f'{BYOP.replace("{ x", "{ __index_level_0__ = " + chr(34) + "int64" + chr(34) + ", x")}{FUNCTIONS}',
        f"{BYOP}{FUNCTIONS}",
        CODE,
    ),
    "an option of the hook": Case(
        "WLR640",
        f"{PLAIN}[tool.hatch.build.targets.wheel.hooks.wallaroo]\nsdists = true # x\n",
        f"{PLAIN}[tool.hatch.build.targets.wheel.hooks.wallaroo]\nsdist = true # x\n",
    ),
    "an option of the hook in quotes": Case(
        "WLR641",
        f'{PLAIN}[tool.hatch.build.targets.wheel.hooks.wallaroo]\nsdist = "true"\n',
        f"{PLAIN}[tool.hatch.build.targets.wheel.hooks.wallaroo]\nsdist = true\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MENDED.values(), ids=MENDED)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["unix", "windows"])
def test_mended(case, newline, tmp_path):
    root = made(tmp_path, case.before, case.files)
    path = root / "pyproject.toml"
    path.write_bytes(path.read_bytes().replace(b"\n", newline.encode()))
    assert case.code in codes(root)
    done = mend(root)
    assert {code for fix in done.done for code in fix} == {case.code}
    assert path.read_bytes().decode() == (HEAD + case.after).replace("\n", newline)
    assert case.code not in done.left
    assert planned(root).fixes == ()
    assert sorted(each.name for each in root.iterdir() if each.name.startswith(".")) == []


LEFT = {
    "a name of which nothing is left": ("WLR030", f'{PLAIN}name = "7 days"\n'),
    "a name that is too long": ("WLR030", f'{PLAIN}name = "{"a" * 70}"\n'),
    "a key like nothing else": ("WLR011", f'{PLAIN}colour = "red"\n'),
    "a key that could be either": ("WLR011", f'{PLAIN}schema = {{ x = "float64" }}\n'),
    "a key between two": ("WLR011", f'{PLAIN}iutput-schema = {{ x = "float64" }}\n'),
    "a key that is there already": ("WLR011", f'{PLAIN}modell = "other.py"\n'),
    "two keys that mean one": ("WLR011", '[tool.wallaroo]\nframework = "python"\nmodell = "a.py"\nmodle = "step.py"\n'),
    "a key with another value": ("WLR011", '[tool.wallaroo]\nframework = "python"\nmodell = ["step.py"]\n'),
    "a key whose value is no table": ("WLR011", f'{BYOP}byopp = "prices:load"\n'),
    "a number for a release": ("WLR010", f"{PLAIN}release = 2026.10\n"),
    "a number for a flag": ("WLR010", f"{PLAIN}visibility = 1\n"),
    "a word like nothing else": ("WLR014", f'{PLAIN}visibility = "team"\n'),
    "a framework that needs more": ("WLR022", '[tool.wallaroo]\nframework = "lightgbm"\nmodel = "step.py"\n'),
    "a framework like nothing else": ("WLR022", '[tool.wallaroo]\nframework = "mxnet"\nmodel = "step.py"\n'),
    "backslashes to nowhere": ("WLR041", "[tool.wallaroo]\nframework = \"python\"\nmodel = 'steps\\b.py'\n"),
    "backslashes out of the project": ("WLR040", "[tool.wallaroo]\nframework = \"python\"\nmodel = 'C:\\b.py'\n"),
    "model beside artifacts": ("WLR015", f'{BYOP}model = "m.bin"\nartifacts = ["m.bin"]\n{FUNCTIONS}'),
    "two inputs": (
        "WLR360",
        f"{SKLEARN}{{ a = {chr(34)}float64{chr(34)}, b = {chr(34)}float64{chr(34)} }}\n",
    ),
    "nothing but an index": (
        "WLR667",
        f"{BYOP.replace('input-schema = { x', 'input-schema = { __index_level_0__')}{FUNCTIONS}",
    ),
    "an option like nothing else": (
        "WLR640",
        f"{PLAIN}[tool.hatch.build.targets.wheel.hooks.wallaroo]\ncolour = true\n",
    ),
    "an option of another type": (
        "WLR641",
        f'{PLAIN}[tool.hatch.build.targets.wheel.hooks.wallaroo]\nsdist = "no"\n',
    ),
}


@pytest.mark.parametrize(("code", "table"), LEFT.values(), ids=LEFT)
def test_a_guess_is_no_fix(code, table, tmp_path):
    root = made(tmp_path, table, CODE)
    before = (root / "pyproject.toml").read_bytes()
    assert code in codes(root)
    fixing = planned(root)
    assert fixing.fixes == ()
    assert fixing.files == ()
    assert (root / "pyproject.toml").read_bytes() == before


def test_all_at_once_and_in_one_file(tmp_path):
    table = (
        f'{BYOP.replace("input-schema", "input_schema")}name = "My_Model"\nartifacts = "m.bin"\nload = "prices:load"\n'
    )
    root = made(tmp_path, f'{table}predict = "prices:predict"\n', CODE)
    done = mend(root)
    assert done.left == ("WLR506",)
    assert len(done.done) == 5
    after = (root / "pyproject.toml").read_text().removeprefix(HEAD)
    assert after == f'{BYOP}name = "my-model"\nartifacts = ["m.bin"]\n{FUNCTIONS}'


def test_a_shared_key_is_mended_once(tmp_path):
    table = '[tool.wallaroo]\nframework = "Python"\nmodel = "step.py"\n[tool.wallaroo.models]\na = {}\nb = {}\n'
    root = made(tmp_path, table)
    fixing = planned(root)
    assert [fix.codes for fix in fixing.fixes] == [("WLR022",)]
    assert mend(root).left == ()


def test_options_in_hatch_toml(tmp_path):
    root = made(tmp_path, PLAIN)
    (root / "hatch.toml").write_text("# ours\n[build.hooks.wallaroo]\nsdists = true # x\n")
    assert mend(root).left == ()
    assert (root / "hatch.toml").read_text() == "# ours\n[build.hooks.wallaroo]\nsdist = true # x\n"


def test_the_mark_that_hatchling_does_not_take(tmp_path):
    root = made(tmp_path, f'{PLAIN}name = "my_model"\n')
    path = root / "pyproject.toml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    done = mend(root)
    assert sorted(done.done) == [("WLR030",), ("WLR650",)]
    assert path.read_bytes().decode() == f'{HEAD}{PLAIN}name = "my-model"\n'


@pytest.mark.parametrize("name", ["x" * 100_000, "my_" * 30, "\N{GREEK SMALL LETTER ALPHA}_model", "a\x00b"])
def test_hostile_names_are_an_answer(name, tmp_path):
    root = made(tmp_path, PLAIN + f"name = {name!r}\n" if "\x00" not in name else f'{PLAIN}name = "a\\u0000b"\n')
    fixing = planned(root)
    assert all(len(fix.description) < 500 for fix in fixing.fixes)
