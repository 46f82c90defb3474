"""The JSON Schema in the tools that editors use: Taplo (Even Better TOML) and Tombi, each the real program.

They are set up as docs/how-to/editors.md says, by the blocks that it shows.

Taplo's packages come without its language server, so hovering is tried with Tombi's. What Taplo's own server needs
beyond that was found by running it once, and stands in the last tests here.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hatch_wallaroo.config.json_schema import tool_schema
from hatch_wallaroo.config.pyproject_schema import document_schema
from hatch_wallaroo.config.table import ByopTable, ImageTable, ModelTable, field_docs, options
from support.fronts import REPOSITORY
from support.language_server import LanguageServer
from support.peers import peer

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

BROKEN = REPOSITORY / "tests" / "broken" / "tables"
PROJECT = '[project]\nname = "a"\nversion = "1"\n'
DOCUMENTS = {
    **{f"broken-{each.stem}": each for each in BROKEN.glob("*.toml")},
    **{f"example-{each.parent.name}": each for each in (REPOSITORY / "example-projects").glob("*/pyproject.toml")},
}
"""Tables with mistakes, of which a schema sees some, and tables without."""
PAGE = (REPOSITORY / "docs" / "how-to" / "editors.md").read_text(encoding="utf-8")
NO_NETWORK = "[schema]\ncatalog = { paths = [] }\n\n"


def shown_block(mark: str) -> str:
    """The one block of the page that holds a text."""
    (block,) = [each for each in re.findall(r"```\w+\n(.*?)```", PAGE, re.DOTALL) if mark in each]
    return block


def set_up(folder: Path) -> None:
    """What the page says: the two files of schemas, and each tool's own file."""
    for line in shown_block("pyproject_schema").splitlines():
        command, _, file = line.partition(" > ")
        arguments = command.removeprefix("python ").split()
        made = subprocess.run([sys.executable, *arguments], cwd=REPOSITORY, capture_output=True, check=True)
        (folder / file.partition("#")[0].strip()).write_bytes(made.stdout)
    (folder / ".taplo.toml").write_text(shown_block("[[rule]]"), encoding="utf-8")
    (folder / "tombi.toml").write_text(NO_NETWORK + shown_block("[[schemas]]"), encoding="utf-8")


def program(name: str) -> str:
    return str(peer(name).parent / name)


@pytest.fixture(scope="module")
def documents(tmp_path_factory) -> Path:
    """Every document that is TOML, each a pyproject.toml in a folder of its own."""
    home = tmp_path_factory.mktemp("documents")
    for name, source in DOCUMENTS.items():
        text = source.read_bytes()
        try:
            tomllib.loads(text.decode())
        except ValueError:
            continue
        (home / name).mkdir()
        (home / name / "pyproject.toml").write_bytes(text)
    set_up(home)
    return home


def refused_by_the_schema(documents: Path) -> set[str]:
    """What Python's own implementation of JSON Schema says."""
    validator = jsonschema.Draft7Validator(document_schema())
    read = {each.parent.name: tomllib.loads(each.read_text("utf-8")) for each in documents.glob("*/pyproject.toml")}
    return {name for name, document in read.items() if not validator.is_valid(document)}


def test_the_documents_are_worth_asking_about(documents: Path) -> None:
    refused = refused_by_the_schema(documents)
    assert not [name for name in refused if name.startswith("example-")]
    assert {"broken-unknown_keys", "broken-wrong_types", "broken-unknown_framework"} <= refused


@pytest.mark.peer
def test_taplo_refuses_what_the_schema_refuses_and_nothing_else(documents: Path) -> None:
    command = [program("taplo"), "lint", "--colors", "never", "*/pyproject.toml"]
    done = subprocess.run(command, cwd=documents, capture_output=True, text=True, timeout=60)
    said = done.stdout + done.stderr
    refused = {Path(each).parent.name for each in re.findall(r'invalid file .*path="([^"]+)"', said)}
    assert refused == refused_by_the_schema(documents), said


@pytest.mark.peer
def test_taplo_finds_the_schema_that_a_comment_names(tmp_path: Path) -> None:
    set_up(tmp_path)
    path = tmp_path / "pyproject.toml"
    path.write_text(f'{shown_block("#:schema")}{PROJECT}[tool.wallaroo]\nframework = "onx"\n', encoding="utf-8")
    command = [program("taplo"), "lint", "--no-auto-config", "--colors", "never", "pyproject.toml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert '"onx" is not one of' in done.stderr + done.stdout


@pytest.mark.peer
def test_tombi_refuses_what_the_schema_refuses_and_nothing_else(documents: Path) -> None:
    """By the table's own schema, at its place in the document: that leaves other schemas of pyproject.toml alone."""
    command = [program("tombi"), "lint", "--offline", "--no-cache"]
    done = subprocess.run([*command, "."], cwd=documents, capture_output=True, text=True, timeout=60)
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    errors = re.findall(r"Error: (.+)\n\s+at \S*?([\w-]+)[/\\]pyproject\.toml:", said)
    refused = refused_by_the_schema(documents)
    assert {name for _, name in errors} <= refused, said
    # It does not look for keys that are required by one of several alternatives.
    assert refused - {name for _, name in errors} <= {"broken-missing_keys"}, said


@pytest.mark.peer
def test_a_field_s_text_shows_when_the_pointer_rests_on_it(tmp_path: Path) -> None:
    path, texts = every_key(tmp_path)
    set_up(tmp_path)
    with LanguageServer([program("tombi"), "lsp"], tmp_path) as server:
        server.open(path)
        shown = {line: server.hover(path, line, 1) for line in texts}
    lines = path.read_text(encoding="utf-8").splitlines()
    assert not {lines[line]: text for line, text in shown.items() if texts[line] not in text}


@pytest.mark.peer
def test_the_editor_marks_a_mistake_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(f'{PROJECT}[tool.wallaroo]\nframework = "onnx"\nmodle = "m.onnx"\n', encoding="utf-8")
    set_up(tmp_path)
    with LanguageServer([program("tombi"), "lsp"], tmp_path) as server:
        (mistake,) = server.open(path)
    assert "modle" in mistake["message"]
    assert mistake["range"]["start"]["line"] == 5


def every_key(folder: Path) -> tuple[Path, dict[int, str]]:
    """A document with each key of the tables, and for each key's line the text that stands under its field."""
    schema = tool_schema("wallaroo")
    lines, texts = PROJECT.splitlines(), {}
    tables = (("tool.wallaroo", ModelTable), ("tool.wallaroo.byop", ByopTable), ("tool.wallaroo.image", ImageTable))
    for name, table in tables:
        properties = schema["properties"]
        properties = properties if table is ModelTable else properties[name.rpartition(".")[2]]["properties"]
        docs = field_docs(table)
        lines.append(f"[{name}]")
        for key, option in options(table).items():
            if option.table is None:
                texts[len(lines)] = docs[option.name]
                lines.append(f"{key} = {sample(properties[key])}")
    path = folder / "pyproject.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path, texts


def sample(schema: dict[str, Any]) -> str:
    """A value of a schema's type, as TOML."""
    if "enum" in schema:
        return json.dumps(schema["enum"][0])
    if "anyOf" in schema:
        return sample(schema["anyOf"][0])
    if schema["type"] == "array":
        return f"[{sample(schema['items'])}]"
    return {"string": '"a"', "boolean": "true", "object": "{}", "integer": "1", "number": "1.0"}[schema["type"]]


def schemas_within(schema: Any, where: str = "") -> dict[str, dict[str, Any]]:
    """A schema and all that stand in it, by their places."""
    found = {}
    if isinstance(schema, dict):
        found[where] = schema
        for key, value in schema.items():
            found |= schemas_within(value, f"{where}/{key}")
    for index, each in enumerate(schema if isinstance(schema, list) else ()):
        found |= schemas_within(each, f"{where}/{index}")
    return found


def test_every_key_has_a_text() -> None:
    for where, schema in schemas_within(document_schema()).items():
        if "/wallaroo/" in where and where.rpartition("/")[0].endswith("/properties") and "/type/" not in where:
            assert schema.get("description"), where


def test_every_list_has_its_text_at_its_items() -> None:
    """Of a key whose value is a list, Taplo shows the text of the items."""
    for where, schema in schemas_within(document_schema()).items():
        if schema.get("type") == "array" and "/wallaroo/properties" in where:
            assert schema["items"].get("description"), where


def test_nothing_stands_in_an_all_of() -> None:
    """Taplo shows no text beside one, and its language server ends when it is asked for completions there."""
    assert not [where for where in schemas_within(document_schema()) if where.endswith("/allOf")]
    assert "allOf" not in json.dumps(document_schema())
