"""All files of a build appear together, or what was there before stays."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import jsonschema
import pytest

import hatch_wallaroo.bundle
from hatch_wallaroo.bundle import pack as pack_module
from hatch_wallaroo.bundle.check import Checked
from hatch_wallaroo.bundle.manifest import ManifestError, load
from hatch_wallaroo.bundle.pack import PackError, clean, pack
from hatch_wallaroo.bundle.plan import BundlePlan
from hatch_wallaroo.bundle.rules import NOT_WRITTEN
from hatch_wallaroo.files.sources import Entry, FileSource, TextSource
from hatch_wallaroo.findings import Place
from hatch_wallaroo.frameworks.base import Layout
from support.factory import make_spec

MANIFEST_SCHEMA = json.loads((Path(hatch_wallaroo.bundle.__file__).parent / "manifest.schema.json").read_text())


def checked(root: Path, name: str = "a-model", form: str = "zip", text: str = "x = 1\n") -> Checked:
    spec = make_spec(root, "custom", name=name)
    suffix = ".zip" if form == "zip" else ".onnx"
    layout = Layout(form, suffix, (Entry(f"{name}/main.py", TextSource(text)),))
    return Checked(spec, BundlePlan(spec, f"{name}-1.0{suffix}", layout), {}, (), ())


def listing(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_everything_that_keeps_a_bundle_from_counting_is_said(tmp_path: Path) -> None:
    """And nothing of it is left: `finish` comes before the files are in their places."""
    place = Place(key=("tool", "wallaroo", "image"))
    said = [NOT_WRITTEN.finding(f"misfit {number}", place=place) for number in range(3)]
    with pytest.raises(PackError) as caught:
        pack([checked(tmp_path)], tmp_path / "dist", lambda *_: tuple(said))
    assert caught.value.findings == tuple(said)
    assert list((tmp_path / "dist").iterdir()) == []


def test_a_manifest_beside_the_bundle_that_its_schema_knows(tmp_path: Path) -> None:
    (bundle,) = pack([checked(tmp_path)], tmp_path / "dist")
    made = json.loads(bundle.manifest.read_bytes())
    jsonschema.Draft7Validator.check_schema(MANIFEST_SCHEMA)
    jsonschema.validate(made, MANIFEST_SCHEMA)
    assert made["file"]["sha256"] == bundle.sha256
    assert made["file"]["size"] == bundle.path.stat().st_size
    assert [each["path"] for each in made["contents"]] == ["a-model/main.py"]
    assert load(bundle.manifest) == made
    assert str(tmp_path) not in bundle.manifest.read_text()


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    pack([checked(tmp_path / "one")], tmp_path / "one" / "dist")
    pack([checked(tmp_path / "two")], tmp_path / "two" / "dist")
    assert listing(tmp_path / "one" / "dist") == listing(tmp_path / "two" / "dist")


def test_nothing_but_the_two_files_is_left(tmp_path: Path) -> None:
    pack([checked(tmp_path)], tmp_path / "dist")
    assert sorted(path.name for path in (tmp_path / "dist").iterdir()) == [
        "a-model-1.0.wallaroo.json",
        "a-model-1.0.zip",
    ]


def test_a_second_model_that_fails_leaves_the_first_as_it_was(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    pack([checked(tmp_path), checked(tmp_path, "b-model")], dist)
    before = listing(dist)
    vanished = Entry("b-model/w.bin", FileSource(tmp_path / "gone.bin"))
    broken = checked(tmp_path, "b-model")
    layout = Layout("zip", ".zip", (vanished,))
    broken = Checked(broken.spec, BundlePlan(broken.spec, "b-model-1.0.zip", layout), {}, (), ())
    with pytest.raises(PackError) as caught:
        pack([checked(tmp_path, text="x = 2\n"), broken], dist)
    assert caught.value.finding.is_error
    assert listing(dist) == before
    assert [path.name for path in dist.iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("failing_move", [0, 1, 2, 3])
def test_a_move_that_fails_undoes_those_before_it(
    failing_move: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dist = tmp_path / "dist"
    pack([checked(tmp_path)], dist)
    before = listing(dist)
    real, moves = Path.replace, []

    def replace(self: Path, target: Path) -> Path:
        if target.parent == dist and self.parent.name.isdigit():
            moves.append(target)
            if len(moves) == failing_move + 1:
                raise OSError(errno.EIO, "the disk broke")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(PackError, match="disk broke"):
        pack([checked(tmp_path, text="x = 2\n"), checked(tmp_path, "b-model")], dist)
    assert listing(dist) == before


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "permission denied")],
)
def test_a_write_that_fails_is_said_in_words(
    number: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "system text")

    monkeypatch.setattr(pack_module, "write_zip", refuse)
    with pytest.raises(PackError, match=words) as caught:
        pack([checked(tmp_path)], tmp_path / "dist")
    assert caught.value.finding.fix


def test_a_folder_in_the_bundles_place(tmp_path: Path) -> None:
    (tmp_path / "dist" / "a-model-1.0.zip").mkdir(parents=True)
    with pytest.raises(PackError) as caught:
        pack([checked(tmp_path)], tmp_path / "dist")
    assert caught.value.finding.message.startswith("dist/a-model-1.0.zip could not be written: a folder stands")
    assert [path.name for path in (tmp_path / "dist").iterdir()] == ["a-model-1.0.zip"]


def test_a_file_in_the_folders_place(tmp_path: Path) -> None:
    (tmp_path / "dist").write_text("mine")
    with pytest.raises(PackError, match="a file stands where the folder should be"):
        pack([checked(tmp_path)], tmp_path / "dist")
    assert (tmp_path / "dist").read_text() == "mine"


def test_a_link_in_the_bundles_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "precious").write_text("keep")
    (tmp_path / "dist" / "a-model-1.0.zip").symlink_to(tmp_path / "precious")
    pack([checked(tmp_path)], tmp_path / "dist")
    assert (tmp_path / "precious").read_text() == "keep"
    assert not (tmp_path / "dist" / "a-model-1.0.zip").is_symlink()


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        '{"generator": {"name": "other"}, "format": 1}',
        '{"generator": {"name": "hatch-wallaroo"}, "format": 2, "file": {"name": "x"}}',
        '{"generator": {"name": "hatch-wallaroo"}, "format": 1, "file": {"name": "../x"}}',
        '{"generator": {"name": "hatch-wallaroo"}, "format": 1, "file": {"name": "/etc/passwd"}}',
        '{"generator": {"name": "hatch-wallaroo"}, "format": 1, "file": {"name": ".."}}',
        '{"generator": {"name": "hatch-wallaroo"}, "format": 1, "file": {"name": "a\\\\b"}}',
        '{"generator": {"name": "hatch-wallaroo"}, "format": 1, "file": 3}',
        '{"generator": {"name": "hatch-wallaroo"}, "format": 1, "model": ["x"], "file": {"name": "x"}}',
        '{"generator": {"name": "hatch-wallaroo"}, "format": 1, "model": "a-model", "file": {"name": "a\\u0000b"}}',
        '{"generator": {"name": "hatch-wallaroo"}, "format": 1, "model": "a-model", "file": {"name": "\\ud800"}}',
        "[" * 100_000,
        "\x00\xff",
    ],
)
def test_a_manifest_of_somebody_else_is_not_trusted(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.wallaroo.json"
    path.write_text(text)
    with pytest.raises(ManifestError):
        load(path)
    precious = tmp_path / "passwd"
    precious.write_text("keep")
    clean([make_spec(tmp_path, "onnx")], tmp_path)
    assert path.exists()
    assert precious.exists()


def test_clean_takes_every_version_of_its_models_and_unfinished_files(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    pack([checked(tmp_path), checked(tmp_path, "b-model")], dist)
    (dist / ".wallaroo-left").mkdir()
    clean([make_spec(tmp_path, "custom", name="a-model", version="9.9")], dist)
    assert sorted(listing(dist)) == ["b-model-1.0.wallaroo.json", "b-model-1.0.zip"]
    assert not (dist / ".wallaroo-left").exists()
    clean([make_spec(tmp_path, "custom")], tmp_path / "nowhere")


def test_no_model_with_a_bundle_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="nothing to build"):
        pack([], tmp_path / "dist")
    assert not (tmp_path / "dist").exists()
