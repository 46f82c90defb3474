"""`hatch-wallaroo schema`: what it shows, reads and infers, and what it writes into a pyproject.toml."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from hatch_wallaroo.bundle.manifest import upload_metadata
from hatch_wallaroo.project.repository import read_repository
from hatch_wallaroo.schema.arrow import decode, to_arrow
from hatch_wallaroo.schema.tables import format_schema, read_schema, write_schema
from support.command_line import Run, environment, output, program, run
from support.fronts import REPOSITORY
from support.schemas import schemas

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["run"]

EXAMPLES = REPOSITORY / "example-projects"
HEAD = '[project]\nname = "prices"\nversion = "1"\n\n[tool.wallaroo]\nframework = "{}"\nrelease = "2025.2"\n'
BYOP = (
    HEAD.format("custom") + 'sample = "sample.json" # rows\n\n# Ours.\n[tool.wallaroo.byop]\nmodule = "inference.py"\n'
)
SAMPLE = '{"inputs": [{"rooms": 3, "area": [1.5, 2.5]}], "outputs": [{"price": 0.5}]}'
SCHEMAS = '\n[tool.wallaroo.input-schema]\nrooms = "int64"\narea = "float64[2]"\n\n[tool.wallaroo.output-schema]\nprice = "float64"\n'
CODE = "input_schema = pa.schema([pa.field('rooms', pa.int64()), pa.field('area', pa.list_(pa.float64(), 2))])\n"


@pytest.fixture
def here(run: Run) -> Path:
    """A project without schemas, in the folder where commands run."""
    folder = Path.cwd()
    (folder / "pyproject.toml").write_text(BYOP)
    (folder / "sample.json").write_text(SAMPLE)
    (folder / "code.py").write_text(CODE)
    return folder


def table(folder: Path) -> str:
    return (folder / "pyproject.toml").read_text()


def example(name: str) -> tuple[str, str]:
    return "-p", str(EXAMPLES / name)


class TestShow:
    def test_as_pyproject_toml_has_it(self, run: Run) -> None:
        said = run("schema", "show", *example("sklearn"))
        assert (said.code, said.err) == (0, "")
        assert said.out == (
            '[tool.wallaroo.input-schema]\ninputs = "float64[13]"\n\n[tool.wallaroo.output-schema]\npredictions = "int64"\n'
        )

    def test_several_models_each_by_its_table(self, run: Run) -> None:
        said = run("schema", "show", *example("three-steps"))
        assert said.err == "house-prices has no schemas: framework onnx takes none\n"
        shown = tomllib.loads(said.out)["tool"]["wallaroo"]["models"]
        declared = tomllib.loads(table(EXAMPLES / "three-steps"))["tool"]["wallaroo"]["models"]
        assert shown == {
            name: {key: model[key] for key in ("input-schema", "output-schema")}
            for name, model in declared.items()
            if "input-schema" in model
        }
        (only,) = tomllib.loads(run("schema", "show", "house-prices-scale", *example("three-steps")).out)[
            "tool"
        ].values()
        assert "input-schema" in only["models"]["house-prices-scale"]

    def test_a_model_is_called_as_its_table_or_as_on_the_platform(self, here: Path, run: Run) -> None:
        table_of_one = '[tool.wallaroo.models.mine]\nname = "theirs"\nframework = "python"\nrelease = "2025.2"\nmodel = "code.py"\n'
        fields = 'input-schema = { x = "int8" }\noutput-schema = { y = "int8" }\n'
        (here / "pyproject.toml").write_text(f'[project]\nname = "a"\nversion = "1"\n{table_of_one}{fields}')
        assert run("schema", "show", "mine").out == run("schema", "show", "theirs").out != ""

    def test_python_is_what_pyarrow_makes_of_it(self, run: Run) -> None:
        said = run("schema", "show", *example("hugging-face"), "--as", "python")
        made: dict[str, object] = {}
        exec(said.out, made)
        (spec,) = read_repository(EXAMPLES / "hugging-face").reading.specs
        assert (made["input_schema"], made["output_schema"]) == (
            to_arrow(spec.input_schema),
            to_arrow(spec.output_schema),
        )
        several: dict[str, object] = {}
        exec(run("schema", "show", *example("three-steps"), "--as", "python").out, several)
        assert several["house_prices_dollars_output_schema"].names == ["dollars", "range"]

    def test_base64_is_what_is_sent(self, run: Run) -> None:
        (spec,) = read_repository(EXAMPLES / "sklearn").reading.specs
        sent = upload_metadata(spec)
        assert (
            run("schema", "show", *example("sklearn"), "--as", "base64", "--input").out == f"{sent['input_schema']}\n"
        )
        assert run("schema", "show", *example("sklearn"), "--as", "base64").out == (
            f"input-schema {sent['input_schema']}\noutput-schema {sent['output_schema']}\n"
        )
        lines = run("schema", "show", *example("three-steps"), "--as", "base64").out.splitlines()
        assert [line.split()[:2] for line in lines[:2]] == [
            ["house-prices-scale", "input-schema"],
            ["house-prices-scale", "output-schema"],
        ]

    def test_arrow_is_what_pyarrow_prints(self, run: Run) -> None:
        said = run("schema", "show", *example("sklearn"), "--as", "arrow")
        assert said.out == (
            "# input-schema\ninputs: fixed_size_list<item: double>[13]\n  child 0, item: double\n\n"
            "# output-schema\npredictions: int64\n"
        )

    @pytest.mark.parametrize("asked", [["--json"], ["--as", "json"]])
    def test_json(self, asked: list[str], run: Run) -> None:
        said = json.loads(run("schema", "show", *example("three-steps"), *asked).out)
        assert said["format"] == 1
        assert [each["name"] for each in said["models"]] == [
            "house-prices-scale",
            "house-prices",
            "house-prices-dollars",
        ]
        scale, onnx, _ = said["models"]
        assert scale["output_schema"]["fields"] == {"tensor": "float32[4]"}
        assert write_schema(decode(scale["output_schema"]["base64"])) == {"tensor": "float32[4]"}
        assert (onnx["framework"], onnx["input_schema"]) == ("onnx", None)

    @pytest.mark.parametrize(
        ("arguments", "code", "message"),
        [
            (("show", *example("onnx")), 1, "pump-failure has no schemas: framework onnx takes none"),
            (("show", "scale", *example("three-steps")), 2, "the project has no model scale"),
            (("show", "--json", "--as", "python", *example("onnx")), 2, "--json and --as python ask for two forms"),
            (("show", "-p", "/"), 2, "there is no pyproject.toml in this folder"),
            (("show",), 1, 'framework "custom" needs an input-schema'),
        ],
    )
    def test_what_cannot_be_shown(
        self, arguments: tuple[str, ...], code: int, message: str, here: Path, run: Run
    ) -> None:
        said = run("schema", *arguments)
        assert (said.code, said.out) == (code, "")
        assert message in said.err

    def test_a_broken_schema_is_told_with_its_line(self, here: Path, run: Run) -> None:
        (here / "pyproject.toml").write_text(BYOP + SCHEMAS.replace("float64[2]", "float[2]"))
        said = run("schema", "show")
        assert said.code == 1
        assert "pyproject.toml:16:9 tool.wallaroo.input-schema.area: float is 32 bits wide" in said.err
        assert "[tool.wallaroo.output-schema]" in said.out

    @pytest.mark.slow
    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(schemas(), schemas())
    def test_what_is_shown_reads_back(self, here: Path, run: Run, one, other) -> None:
        """In each form, and whatever fields are called; but for Arrow's own, which is for people."""
        text = f"\n[tool.wallaroo.input-schema]\n{format_schema(one)}\n[tool.wallaroo.output-schema]\n{format_schema(other)}"
        (here / "pyproject.toml").write_bytes((BYOP + text).encode())
        shown = tomllib.loads(run("schema", "show").out)["tool"]["wallaroo"]
        assert [read_schema(shown[key])[0] for key in ("input-schema", "output-schema")] == [one, other]
        made: dict[str, object] = {}
        exec(run("schema", "show", "--as", "python").out, made)
        assert [made["input_schema"], made["output_schema"]] == [to_arrow(one), to_arrow(other)]
        assert decode(run("schema", "show", "--as", "base64", "--input").out) == decode(encoded(to_arrow(one)))

    def test_names_that_an_encoding_does_not_have(self, here: Path) -> None:
        fields = 'ä = "int8"\n"\\u202e" = "int8"\n"\U0001f600" = "int8"\n'.replace("ä", '"ä"')
        text = f"\n[tool.wallaroo.input-schema]\n{fields}\n[tool.wallaroo.output-schema]\nx = 'int8'\n"
        (here / "pyproject.toml").write_text(BYOP + text, encoding="utf-8")
        for encoding in ("ascii", "latin-1", "utf-8"):
            done = subprocess.run(
                program("schema", "show"), cwd=here, env=environment(PYTHONIOENCODING=encoding), capture_output=True
            )
            assert (done.returncode, done.stderr) == (0, b"")
            shown = tomllib.loads(done.stdout.decode(encoding))["tool"]["wallaroo"]["input-schema"]
            assert list(shown) == ["ä", "\u202e", "\U0001f600"]
            assert "\u202e".encode() not in done.stdout


def encoded(schema: pa.Schema) -> str:
    return base64.b64encode(bytes(schema.serialize())).decode()


class TestRead:
    def test_python(self, here: Path, run: Run) -> None:
        said = run("schema", "read", "code.py")
        assert (said.code, said.err) == (0, "")
        assert said.out == '[tool.wallaroo.input-schema]\nrooms = "int64"\narea = "float64[2]"\n'

    def test_what_is_shown_can_be_piped_back(self, here: Path) -> None:
        for form in ("python", "base64"):
            command = f"{' '.join(map(quote, program('schema', 'show', '--input', '--as', form, '-p', str(EXAMPLES / 'sklearn'))))}"
            back = " ".join(map(quote, program("schema", "read", "-", "--input")))
            done = subprocess.run(
                ["sh", "-c", f"{command} | {back}"], cwd=here, env=environment(), capture_output=True, text=True
            )
            assert (done.returncode, done.stderr) == (0, "")
            assert done.stdout == '[tool.wallaroo.input-schema]\ninputs = "float64[13]"\n'

    def test_arrow_from_standard_input(self, here: Path) -> None:
        schema = pa.schema([("x", "int8"), ("__index_level_0__", "int64")], metadata={"pandas": "{}"})
        sink = io.BytesIO()
        with pa.ipc.new_file(sink, schema):
            pass
        done = subprocess.run(
            program("schema", "read", "-"), cwd=here, env=environment(), input=sink.getvalue(), capture_output=True
        )
        assert (done.returncode, done.stdout) == (0, b'x = "int8"\n')
        assert done.stderr.decode().splitlines() == [
            "left out __index_level_0__, which is pandas' index and no column",
            "left out the metadata (pandas): the platform refuses schemas that carry some",
        ]

    def test_json(self, here: Path, run: Run) -> None:
        said = json.loads(run("schema", "read", "code.py", "--json").out)
        assert said["input_schema"]["fields"] == {"rooms": "int64", "area": "float64[2]"}
        (here / "text").write_text(said["input_schema"]["base64"])
        assert list(json.loads(run("schema", "read", "text", "--json").out)) == ["format", "schema"]
        assert list(json.loads(run("schema", "read", "text", "--output", "--json").out)) == ["format", "output_schema"]

    @pytest.mark.parametrize(
        ("content", "arguments", "code", "message"),
        [
            (b"x = 1", (), 1, "error[WLR670] f: no pa.schema([...]) is in it"),
            (b"input_schema = pa.schema([('x', pa.nul())])", (), 1, "error[WLR671] f:1:33: pa.nul makes no type"),
            (b"input_schema = f(\n)", (), 1, "f:1:16: nothing is assigned to f before line 1"),
            (b"output_schema = pa.schema([('x', 'int8')])", ("--input",), 1, "no input schema is in it"),
            (b"AAAABBBB\nCCC?", ("--from", "base64"), 1, "error[WLR670] f:2:4: '?' is no character of base64"),
            (b"\0", (), 1, "error[WLR670] f: this is no Arrow schema"),
            (b"\x1b[2J = 1", (), 1, "this is no Python"),
            (CODE.encode(), ("--yes",), 2, "--yes goes with --write"),
            (CODE.encode(), ("--write", "--as", "python"), 2, "--as prints, and --write writes"),
            (CODE.encode(), ("--write", "--yes", "--dry-run"), 2, "--yes makes the changes, and --dry-run makes none"),
            (CODE.encode(), ("--write", "--model", "x"), 2, "the project has no model x"),
            (b"s = " + CODE.partition("= ")[2].encode(), ("--write", "--yes"), 2, "does not say which schema it is"),
        ],
    )
    def test_what_is_wrong(
        self, content: bytes, arguments: tuple[str, ...], code: int, message: str, here: Path, run: Run
    ) -> None:
        (here / "f").write_bytes(content)
        before = table(here)
        said = run("schema", "read", "f", *arguments)
        assert (said.code, said.out) == (code, "")
        assert message in said.err
        assert "\x1b" not in said.err
        assert table(here) == before

    @pytest.mark.parametrize("path", ["nothing", "."])
    def test_files_that_cannot_be_read(self, path: str, here: Path, run: Run) -> None:
        said = run("schema", "read", path)
        assert said.code == 2
        assert "cannot be read: " in said.err


def quote(word: str) -> str:
    import shlex

    return shlex.quote(word)


class TestInfer:
    def test_the_project(self, here: Path, run: Run) -> None:
        said = run("schema", "infer")
        assert (said.code, said.out) == (0, SCHEMAS.removeprefix("\n"))
        assert said.err.splitlines() == [
            "inferred from 1 row of sample.json",
            "guess: input rooms: int64, where int32 may be meant: values do not tell how wide their type is",
            "guess: input area: float64, where float32 may be meant: values do not tell how wide their type is",
            "guess: input area: the size is that of the only row: write * where it can differ",
            "guess: output price: float64, where float32 may be meant: values do not tell how wide their type is",
        ]

    def test_json_says_what_it_is_based_on(self, here: Path, run: Run) -> None:
        (model,) = json.loads(run("schema", "infer", "--json").out)["models"]
        assert (model["name"], model["framework"]) == ("prices", "custom")
        assert model["based_on"] == ["1 row of sample.json"]
        assert len(model["guesses"]) == 4

    def test_a_sample_that_is_not_needed_is_no_error(self, here: Path, run: Run) -> None:
        shutil.copy(EXAMPLES / "onnx" / "models" / "pump_failure.onnx", here)
        (here / "pyproject.toml").write_text(
            HEAD.format("onnx") + 'model = "pump_failure.onnx"\nsample = "none.json"\n'
        )
        said = run("schema", "infer")
        assert said.code == 0
        assert "warning[WLR672] none.json: cannot be read: No such file or directory" in said.err

    def test_one_side_is_enough_where_one_is_asked_for(self, here: Path, run: Run) -> None:
        (here / "sample.json").write_text('[{"x": 1}]')
        said = run("schema", "infer")
        assert said.code == 1
        assert "nothing tells the output schema: a sample with outputs would" in said.err
        assert said.out == '[tool.wallaroo.input-schema]\nx = "int64"\n'
        assert run("schema", "infer", "--input").code == 0

    def test_another_sample(self, here: Path, run: Run) -> None:
        other = here / "other.json"
        other.write_text('[{"x": [1, 2]}]')
        assert 'x = "int64[2]"' in run("schema", "infer", "--sample", "other.json", "--input").out
        other.write_text('[{"x": [1, x]}]')
        said = run("schema", "infer", "--sample", "other.json")
        assert said.code == 2
        assert "other.json:1:12: is no JSON: expecting value" in said.err

    @pytest.mark.parametrize(
        ("path", "arguments", "fields"),
        [
            ("example-projects/onnx/models/pump_failure.onnx", (), "readings"),
            ("example-projects/keras/models/fruit_sorter.h5", ("--input",), "measures"),
            ("example-projects/tensorflow/models/energy_demand", (), "conditions"),
            ("example-projects/sklearn/wine.pkl", ("--release", "2023.2.1"), "inputs"),
            ("example-projects/xgboost/progression.pkl", (), "inputs"),
            ("example-projects/pytorch/battery.pt", ("--sample", str(EXAMPLES / "pytorch" / "sample.json")), "input"),
            ("example-projects/sklearn/sample.json", (), "inputs"),
            ("tests/fixtures/mlflow/mlflow-1.30.0/numbers", (), "sepal length (cm)"),
            ("tests/fixtures/mlflow/mlflow-2.14.3/numbers/MLmodel", ("--framework", "sklearn"), "inputs"),
            (
                "example-projects/hugging-face/models/reviews",
                ("--framework", "hugging-face-sentiment-analysis"),
                "inputs",
            ),
            # Its classes are none of entailment, so that one task is left.
            ("example-projects/hugging-face/models/reviews", (), "inputs"),
        ],
    )
    def test_files(self, path: str, arguments: tuple[str, ...], fields: str, run: Run) -> None:
        """They need no project."""
        said = run("schema", "infer", str(REPOSITORY / path), *arguments)
        assert said.code == 0, said.err
        assert next(iter(tomllib.loads(said.out)["tool"]["wallaroo"]["input-schema"])) == fields
        assert said.err.startswith("inferred from ")

    @pytest.mark.parametrize(
        ("arguments", "message", "fix"),
        [
            (("nothing",), "there is no model and no file called nothing", "the project's models are prices"),
            (("price",), "there is no model and no file called price", "did you mean prices?"),
            (("a\0b",), "there is no model and no file called a\\x00b", "the project's models are prices"),
            (("code.py",), "code.py is no model that is known here", "name its --framework"),
            (
                ("pretrained",),
                "several frameworks may serve",
                "name one: --framework hugging-face-text-classification or",
            ),
            (("code.py", "--framework", "pyton"), "framework: ", "fix: --framework python"),
            (("code.py", "--framework", "onnx", "--release", "2001.1"), "release: ", ""),
            (("--framework", "onnx"), "--framework goes with a FILE", "name the file"),
            (("prices", "--model", "prices"), "--model goes with a FILE", "name the file"),
        ],
    )
    def test_what_was_meant(self, arguments: tuple[str, ...], message: str, fix: str, here: Path, run: Run) -> None:
        (here / "quantized.gguf").write_bytes(b"GGUF\3" + bytes(60))
        (here / "pretrained").mkdir()
        (here / "pretrained" / "config.json").write_text('{"architectures": ["BertForSequenceClassification"]}')
        said = run("schema", "infer", *arguments)
        assert (said.code, said.out) == (2, "")
        assert f"error: {message}" in said.err or message in said.err
        assert fix in said.err

    def test_a_name_is_a_model_before_it_is_a_file(self, here: Path, run: Run) -> None:
        (here / "prices").write_text("no model")
        assert run("schema", "infer", "prices").out == SCHEMAS.removeprefix("\n")

    def test_a_sample_that_disagrees_is_told_and_the_header_counts(self, here: Path, run: Run) -> None:
        shutil.copy(EXAMPLES / "onnx" / "models" / "pump_failure.onnx", here)
        (here / "pyproject.toml").write_text(
            HEAD.format("onnx") + 'model = "pump_failure.onnx"\nsample = "sample.json"\n'
        )
        (here / "sample.json").write_text('[{"readings": ["a", "b"]}]')
        said = run("schema", "infer")
        assert said.code == 0
        assert 'readings = "float32[4]"' in said.out
        assert "warning[WLR674] sample.json: readings: float32 in the model, and texts in the rows" in said.err


class TestWriting:
    def test_new_tables_go_behind_the_models_own(self, here: Path, run: Run) -> None:
        more = "\n[tool.black]\nline-length = 88\n"
        (here / "pyproject.toml").write_text(BYOP + more)
        said = run("schema", "infer", "--write", "--yes")
        assert said.code == 0
        assert table(here) == BYOP + SCHEMAS + more
        assert said.out.startswith("--- a/pyproject.toml\n+++ b/pyproject.toml\n@@")
        assert '+area = "float64[2]"' in said.out
        assert said.err.splitlines()[-1] == "pyproject.toml was changed"
        assert run("schema", "show").out == SCHEMAS.removeprefix("\n")

    def test_twice_changes_nothing(self, here: Path, run: Run) -> None:
        run("schema", "infer", "--write", "--yes")
        before = (here / "pyproject.toml").stat()
        said = run("schema", "infer", "--write", "--yes")
        assert (said.code, said.out) == (0, "")
        assert said.err.splitlines()[-1] == "pyproject.toml says so already: nothing was changed"
        assert (here / "pyproject.toml").stat().st_mtime_ns == before.st_mtime_ns

    def test_what_says_the_same_stays_as_it_is_written(self, here: Path, run: Run) -> None:
        """Another way to write the same type, comments, order of tables, line ends, a mark."""
        odd = (
            "\ufeff"
            + BYOP
            + "\n[tool.wallaroo.output-schema] # out\nprice = 'double'   # in dollars\n\n\n"
            + "[tool.wallaroo.input-schema]\nrooms={ type = 'int64' } #!\n\n'area' = 'float64[ 2 ]'\n"
        ).replace("\n", "\r\n")
        (here / "pyproject.toml").write_bytes(odd.encode())
        said = run("schema", "infer", "--write", "--yes")
        assert (said.code, said.out) == (0, "")
        assert (here / "pyproject.toml").read_bytes() == odd.encode()

    def test_a_dry_run_shows_and_writes_nothing(self, here: Path, run: Run) -> None:
        before = table(here)
        said = run("schema", "infer", "--write", "--dry-run")
        assert said.code == 0
        assert '+price = "float64"' in said.out
        assert table(here) == before

    def test_nobody_there_to_be_asked(self, here: Path, run: Run) -> None:
        before = table(here)
        said = run("schema", "infer", "--write")
        assert said.code == 2
        assert "nobody is there to be asked" in said.err
        assert table(here) == before

    @pytest.mark.parametrize("form", ["table", "inline", "dotted"])
    def test_another_schema_is_replaced_only_where_that_is_said(self, form: str, here: Path, run: Run) -> None:
        old = {
            "table": BYOP
            + '\n[tool.wallaroo.input-schema]\nrooms = "int64" # how many\nage = "int64"\n\n[tool.x]\ny = 1\n',
            "inline": BYOP.replace("# Ours", 'input-schema = { rooms = "int64", age = "int64" }\n\n# Ours'),
            "dotted": BYOP.replace(
                "# Ours", 'input-schema.rooms = "int64" # how many\ninput-schema.age = "int64"\n\n# Ours'
            ),
        }[form]
        (here / "pyproject.toml").write_text(old)
        for asked in ((), ("--yes",)):
            said = run("schema", "read", "code.py", "--write", *asked)
            assert said.code == 2
            assert "tool.wallaroo.input-schema stands there already, and otherwise" in said.err
            assert '"float64[2]"' in said.out
            assert table(here) == old
        said = run("schema", "read", "code.py", "--write", "--yes", "--replace")
        assert said.code == 0, said.err
        parsed = tomllib.loads(table(here))["tool"]
        assert list(parsed["wallaroo"]["input-schema"].items()) == [("rooms", "int64"), ("area", "float64[2]")]
        if form != "inline":
            assert "# how many" in table(here)
        kept = [line for line in old.splitlines() if "age" not in line and "rooms" not in line]
        assert [line for line in table(here).splitlines() if "area" not in line and "rooms" not in line] == kept

    def test_the_order_of_fields_is_the_schemas(self, here: Path, run: Run) -> None:
        (here / "pyproject.toml").write_text(BYOP + SCHEMAS)
        (here / "code.py").write_text(
            "input_schema = pa.schema([('new', 'bool'), ('area', pa.list_(pa.float64(), 2)), ('rooms', 'int64')])"
        )
        assert run("schema", "read", "code.py", "--write", "--yes", "--replace").code == 0
        written = tomllib.loads(table(here))["tool"]["wallaroo"]
        assert list(written["input-schema"]) == ["new", "area", "rooms"]
        assert list(written["output-schema"]) == ["price"]

    def test_one_of_several_models(self, run: Run) -> None:
        shutil.copytree(EXAMPLES / "three-steps", "steps", ignore=shutil.ignore_patterns("dist"))
        Path("code.py").write_text("output_schema = pa.schema([('dollars', 'int32')])")
        said = run("schema", "read", "code.py", "--write", "--yes", "-p", "steps")
        assert said.code == 2
        assert "--model house-prices-scale, house-prices, house-prices-dollars" in said.err
        options = ("--write", "--yes", "--replace", "-p", "steps", "--model", "house-prices-dollars")
        assert run("schema", "read", "code.py", *options).code == 0
        before, after = table(EXAMPLES / "three-steps"), table(Path("steps"))
        assert after == before.replace('{ dollars = "int64", range = "int64[2]" }', '{ dollars = "int32" }')

    def test_all_models_but_those_that_take_none(self, run: Run) -> None:
        shutil.copytree(EXAMPLES / "three-steps", "steps", ignore=shutil.ignore_patterns("dist"))
        path = Path("steps/pyproject.toml")
        path.write_text("\n".join(line for line in path.read_text().splitlines() if "put-schema" not in line) + "\n")
        assert run("schema", "infer", "--write", "--yes", "-p", "steps").code == 0
        models = tomllib.loads(path.read_text())["tool"]["wallaroo"]["models"]
        assert ["input-schema" in each for each in models.values()] == [True, False, True]
        assert run("check", "-p", "steps").code == 0

    @pytest.mark.parametrize(
        ("framework", "release"), [("onnx", "2023.2.1"), ("tensorflow", "2026.1"), ("python", "2023.2.1")]
    )
    def test_frameworks_that_take_none(self, framework: str, release: str, here: Path, run: Run) -> None:
        text = HEAD.format(framework).replace("2025.2", release) + 'model = "m"\nsample = "sample.json"\n'
        (here / "pyproject.toml").write_text(text)
        for command in (("infer", "--write", "--yes"), ("read", "code.py", "--write", "--yes")):
            said = run("schema", *command)
            assert said.code == 2
            assert f'framework "{framework}" takes no schemas in release {release}' in said.err
            assert table(here) == text
        assert 'rooms = "int64"' in run("schema", "infer").out

    def test_a_shared_schema_is_overridden_for_one_model(self, here: Path, run: Run) -> None:
        text = (
            '[project]\nname = "a"\nversion = "1"\n[tool.wallaroo]\nrelease = "2025.2"\nframework = "python"\nmodel = "code.py"\n'
            'input-schema = { x = "int8" }\noutput-schema = { y = "int8" }\n[tool.wallaroo.models.one]\n[tool.wallaroo.models.two]\n'
        )
        (here / "pyproject.toml").write_text(text)
        said = run("schema", "read", "code.py", "--write", "--yes", "--model", "two")
        assert said.code == 0, said.err
        assert "two gets an input-schema of its own, in the place of the shared one" in said.err
        assert table(here) == text + '\n[tool.wallaroo.models.two.input-schema]\nrooms = "int64"\narea = "float64[2]"\n'

    def test_json_says_what_was_written(self, here: Path, run: Run) -> None:
        said = run("schema", "infer", "--write", "--yes", "--json")
        made = json.loads(said.out)
        assert {**made, "diff": ""} == {
            "format": 1, "file": "pyproject.toml", "changed": True, "written": True, "diff": "",
        }  # fmt: skip
        assert '+rooms = "int64"' in made["diff"]
        assert '+rooms = "int64"' in said.err

    def test_what_cannot_be_written_leaves_all_as_it_was(self, here: Path, run: Run) -> None:
        (here / "pyproject.toml").chmod(0o444)
        said = run("schema", "infer", "--write", "--yes")
        if said.code:  # root may write what is read-only, an Edit does not
            assert "nothing was written: " in said.err
            assert table(here) == BYOP
        assert [path.name for path in here.iterdir() if path.name.startswith(".")] == []

    def test_an_error_in_the_sample_writes_nothing(self, here: Path, run: Run) -> None:
        (here / "sample.json").write_text('{"inputs": [{"x": 1}], "outputs": [{"y": []}]}')
        said = run("schema", "infer", "--write", "--yes")
        assert (said.code, said.out) == (1, "")
        assert "sample.json:1: outputs, y: all lists are empty" in said.err
        assert said.err.splitlines()[-1] == "nothing was written"
        assert table(here) == BYOP

    @settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(schemas(), schemas())
    def test_any_schema_over_any_other(self, here: Path, run: Run, one, other) -> None:
        """What is written reads back, and everything else of the file stays."""
        from hatch_wallaroo.schema.forms import IMPORT, as_python

        tail = "\n[tool.x]\ny = 1 # z\n"
        (here / "pyproject.toml").write_bytes((BYOP + tail).encode())
        for schema in (one, other):
            (here / "code.py").write_text(f"{IMPORT}\ninput_schema = {as_python(schema)}\n", encoding="utf-8")
            said = run("schema", "read", "code.py", "--write", "--yes", "--replace")
            assert said.code == 0, said.err
            text = (here / "pyproject.toml").read_text(encoding="utf-8")
            assert text.startswith(BYOP)
            assert text.endswith(tail)
            read = read_schema(tomllib.loads(text)["tool"]["wallaroo"]["input-schema"])
            assert read[1] == []
            assert to_arrow(read[0]) == to_arrow(schema)


class TestATerminal:
    @pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1), ("\x03", 130)])
    def test_it_shows_the_difference_and_asks(self, answer: str, code: int, here: Path) -> None:
        """Even where another schema stands there."""
        before = BYOP + SCHEMAS.replace("int64", "int32")
        (here / "pyproject.toml").write_text(before)
        said, left = at_a_terminal(here, "schema", "infer", "--write", answer=answer)
        assert left == code
        assert '-rooms = "int32"' in said
        assert "replace tool.wallaroo.input-schema? [y/N]: " in said
        assert table(here) == (BYOP + SCHEMAS if answer == "y" else before)


def at_a_terminal(folder: Path, *arguments: str, answer: str) -> tuple[str, int]:
    """Run a command on a pseudo terminal, and type an answer when it asks."""
    ours, theirs = pty.openpty()
    command = program(*arguments, code="import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)")
    process = subprocess.Popen(
        command, cwd=folder, env=environment(NO_COLOR="1"), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )  # fmt: skip
    os.close(theirs)
    said, until = b"", time.monotonic() + 60
    while time.monotonic() < until:
        if not select.select([ours], [], [], 0.5)[0]:
            if b"]: " in said:
                # Python loses a Ctrl-C that comes just before it waits for a line.
                os.write(ours, b"\x03" if answer == "\x03" else f"{answer}\n".encode())
            continue
        try:
            more = os.read(ours, 4096)
        except OSError:
            break  # how the end of a terminal looks here
        if not more:
            break
        said += more
    os.close(ours)
    try:
        return said.decode().replace("\r\n", "\n"), process.wait(timeout=10)
    finally:
        process.kill()


# What is inferred of the examples, against what they declare


DIFFER = {
    "hotel-reviews": "as many labels as top_k asks for: the table may fix two, the guide's schema leaves it open",
    "fruit-sorter": "the layers of an .h5 do not tell what comes out, and a sample does not tell how wide its numbers are",
    "house-prices-scale": "the next step takes float32, which no sample tells",
    "house-prices-dollars": "the step before gives float32, which no sample tells",
}
"""Models whose declared schemas cannot be inferred in full, with the reason."""


def specs():
    for path in sorted(EXAMPLES.glob("*/pyproject.toml")):
        yield from read_repository(path.parent).reading.specs


@pytest.mark.parametrize("spec", list(specs()), ids=lambda spec: spec.name)
def test_the_examples_are_inferred_as_they_are_declared(spec, run: Run) -> None:
    before = digest(spec.root)
    said = run("schema", "infer", spec.name, "-p", str(spec.root), "--json")
    assert said.code == 0, said.err
    (made,) = json.loads(said.out)["models"]
    found = {side: made[f"{side}_schema"]["fields"] for side in ("input", "output")}
    declared = {"input": spec.input_schema, "output": spec.output_schema}
    differing = [
        (side, name, write_schema(schema)[name], found[side].get(name))
        for side, schema in declared.items()
        if schema
        for name in schema.names
        if write_schema(schema)[name] != found[side].get(name)
    ]
    expected = {
        "hotel-reviews": [
            ("output", "label", "string[2]", "string[*]"),
            ("output", "score", "float64[2]", "float64[*]"),
        ],
        "fruit-sorter": [("output", "scores", "float32[3]", "float64[3]")],
        "house-prices-scale": [("output", "tensor", "float32[4]", "float64[4]")],
        "house-prices-dollars": [("input", "price", "float32[1]", "float64[1]")],
    }
    assert expected.keys() == DIFFER.keys()
    assert differing == expected.get(spec.name, [])
    assert all(list(found[side]) == list(schema.names) for side, schema in declared.items() if schema)
    assert "WLR674" not in said.err
    assert digest(spec.root) == before


def digest(folder: Path) -> str:
    found = sorted(path for path in folder.rglob("*") if path.is_file() and "dist" not in path.parts)
    return hashlib.sha256(b"".join(path.read_bytes() for path in found)).hexdigest()


PUBLIC = {
    "ccfraud.onnx": ({"dense_input": "float32[29]"}, {"dense_1": "float32[1]"}),
    "xgboost_ccfraud.onnx": ({"feature_input": "float32[29]"}, {"variable": "float32[1]"}),
    "keras_single_io_sequential_model.h5": ({"dense_input": "float32[10]"}, None),
    "sklearn_kmeans.pkl": ({"inputs": "float64[4]"}, {"predictions": "int32"}),
    "sklearn_logreg.pkl": ({"inputs": "float64[4]"}, {"predictions": "int64"}),
    "xgb_classifier.pkl": ({"inputs": "float64[4]"}, {"output": "int64"}),
    "pytorch_single_io_model.pt": (None, None),
    "alohacnnlstm.zip": ({"text_input": "float32[50]"}, 15),
}


@pytest.mark.parametrize("name", PUBLIC)
def test_public_models(name: str, shared_models: Path, run: Run) -> None:
    said = run("schema", "infer", str(shared_models / name), "--json")
    (made,) = json.loads(said.out)["models"]
    into, out = (schema and schema["fields"] for schema in (made["input_schema"], made["output_schema"]))
    expected_in, expected_out = PUBLIC[name]
    assert into == expected_in
    if isinstance(expected_out, int):
        assert list(out.values()) == ["float32[1]"] * expected_out
    else:
        assert out == expected_out
    assert said.code == (0 if into and out else 1)


def test_every_public_model_is_here(shared_models: Path) -> None:
    assert {path.name for path in shared_models.iterdir() if path.is_file()} == PUBLIC.keys()


def test_as_a_program(here: Path) -> None:
    said = output("schema", "infer", "--write", "--dry-run", cwd=here)
    assert said.code == 0
    assert said.out.startswith("--- a/pyproject.toml\n")
