"""Listing the user's files: what is taken, what is left out, what is refused."""

from __future__ import annotations

import os
import socket
import sys
import unicodedata
from pathlib import Path

import pytest

from hatch_wallaroo.files import walk
from hatch_wallaroo.files.collect import find_file, list_declared, list_folder
from hatch_wallaroo.findings import Level, Place
from support.factory import make_spec
from support.locked import lock

HERE = Place(key=("tool", "wallaroo", "model"))
POSIX = pytest.mark.skipif(os.name == "nt", reason="links and devices of POSIX")


def grow(root, *paths):
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path)


def spec_of(root, *exclude):
    return make_spec(root, "custom", exclude=exclude)


def paths(listing):
    return [each.path for each in listing.files]


def codes(findings):
    return [each.code for each in findings]


def test_a_folder_gives_every_file_in_order(tmp_path):
    grow(tmp_path, "m/b.bin", "m/a/z.bin", "m/a.bin", "m/B.bin", "m/.config", "other/x")
    listing = list_folder(spec_of(tmp_path), "m", place=HERE)
    assert paths(listing) == [".config", "B.bin", "a.bin", "a/z.bin", "b.bin"]
    assert [each.label for each in listing.files][3] == "m/a/z.bin"
    assert listing.files[3].absolute == tmp_path / "m/a/z.bin"
    assert (listing.findings, listing.stripped) == ((), ())


@pytest.mark.parametrize("written", ["m", "./m", "m/", "m//", "./m/."])
def test_spellings_of_a_folder(tmp_path, written):
    grow(tmp_path, "m/a.bin")
    assert paths(list_folder(spec_of(tmp_path), written, place=HERE)) == ["a.bin"]


def test_gitignore_hides_nothing(tmp_path):
    grow(tmp_path, "m/a.bin")
    (tmp_path / ".gitignore").write_text("*.bin\nm/\n")
    assert paths(list_folder(spec_of(tmp_path), "m", place=HERE)) == ["a.bin"]


JUNK = [
    (".DS_Store", "the desktop's bookkeeping"),
    ("._a.bin", "the desktop's bookkeeping"),
    ("Thumbs.db", "the desktop's bookkeeping"),
    ("__MACOSX/a", "the desktop's bookkeeping"),
    (".git/config", "version control"),
    (".git", "version control"),
    (".svn/x", "version control"),
    (".gitattributes", "version control"),
    ("__pycache__/a.cpython-311.pyc", "a Python cache"),
    ("a.pyc", "a Python cache"),
    (".mypy_cache/x", "a tool's cache"),
    (".pytest_cache/x", "a tool's cache"),
    (".ruff_cache/x", "a tool's cache"),
    (".cache/huggingface/x", "a tool's cache"),
    (".ipynb_checkpoints/a-checkpoint.py", "a notebook's checkpoints"),
    ("node_modules/x/y.js", "Node's packages"),
    (".venv/x", "a virtual environment"),
    ("myenv/pyvenv.cfg", "a virtual environment"),
    ("conda/conda-meta/history", "a virtual environment"),
    ("scratch/CACHEDIR.TAG", "a tool's cache"),
    ("a_model.egg-info/PKG-INFO", "package metadata"),
    (".idea/x", "an editor's settings"),
    ("a.py~", "an editor's backup"),
    (".a.py.swp", "an editor's backup"),
    ("tests/test_a.py", "tests"),
    ("tests/conftest.py", "tests"),
    ("tests/__init__.py", "tests"),
    ("tests/unit/test_a.py", "tests"),
    ("pkg/test/a_test.py", "tests"),
]


@pytest.mark.parametrize(("junk", "reason"), JUNK, ids=[junk for junk, _ in JUNK])
@pytest.mark.parametrize("declared", ["m", "."])
def test_junk_is_left_out_and_said(tmp_path, junk, reason, declared):
    grow(tmp_path, "m/keep.bin", f"m/{junk}")
    listing = list_folder(spec_of(tmp_path), declared, place=HERE)
    assert [each.label for each in listing.files] == ["m/keep.bin"]
    assert [each[1] for each in listing.stripped] == [reason]
    left = listing.stripped[0][0]
    assert f"m/{junk}" == left or f"m/{junk}".startswith(left)
    assert listing.findings == ()


@pytest.mark.parametrize(
    "kept",
    [
        "tests/data.csv",
        "test/0001.png",
        "tests/deep/sample.json",
        "testing/a.py",
        "dist/weights.bin",
        "build/a.bin",
        "env/a.bin",
        "venv.txt",
        "git/a",
        "tokenizer/.config",
        "variables/variables.data-00000-of-00001",
        "a.wallaroo.json",
        "test_a.py",
    ],
)
def test_what_only_looks_like_junk_is_taken(tmp_path, kept):
    grow(tmp_path, f"m/{kept}")
    listing = list_folder(spec_of(tmp_path), "m", place=HERE)
    assert (paths(listing), listing.stripped) == ([kept], ())


@pytest.mark.parametrize("folder", ["tests", "dist", ".venv", "a/.cache", "__pycache__", "node_modules", "env"])
def test_a_declared_folder_is_taken_whatever_its_name(tmp_path, folder):
    grow(tmp_path, f"{folder}/a.bin", f"{folder}/test_a.py", f"{folder}/pyvenv.cfg")
    assert paths(list_folder(spec_of(tmp_path), folder, place=HERE)) == ["a.bin", "pyvenv.cfg", "test_a.py"]
    labels = [each.label for each in list_declared(spec_of(tmp_path), [folder]).files]
    assert labels == [f"{folder}/a.bin", f"{folder}/pyvenv.cfg", f"{folder}/test_a.py"]


def test_an_older_bundle_is_never_swallowed(tmp_path):
    grow(tmp_path, "dist/m-1.0.zip", "out/m-1.0.zip", "out/m-1.0.wallaroo.json", "out/m-1.0.tar.gz", "out/notes.txt")
    grow(tmp_path, "out/m-1.0-py3-none-any.whl", "m-0.9.wallaroo.json", "m-0.9.onnx", "m.onnx", "other.wallaroo.json")
    listing = list_folder(spec_of(tmp_path), ".", place=HERE)
    assert paths(listing) == ["m.onnx", "other.wallaroo.json", "out/notes.txt"]
    assert {each[1] for each in listing.stripped} == {"an earlier build's output"}
    assert ("dist/", "an earlier build's output") in listing.stripped


@pytest.mark.parametrize(
    ("exclude", "left"),
    [
        (("*.csv",), ["a.bin", "data/b.bin", "data/raw/c.bin"]),
        (("data/",), ["a.bin", "a.csv"]),
        (("m/data",), ["a.bin", "a.csv"]),
        (("/data",), ["a.bin", "a.csv", "data/b.bin", "data/b.csv", "data/raw/c.bin"]),
        (("/m/data/raw",), ["a.bin", "a.csv", "data/b.bin", "data/b.csv"]),
        (("**/raw/**",), ["a.bin", "a.csv", "data/b.bin", "data/b.csv"]),
        (("*.csv", "!m/a.csv"), ["a.bin", "a.csv", "data/b.bin", "data/raw/c.bin"]),
        (("m/data/**", "!m/data/b.csv"), ["a.bin", "a.csv", "data/b.csv"]),
        (("m/data/*", "!b.csv"), ["a.bin", "a.csv", "data/b.csv"]),
    ],
)
def test_exclude_reads_as_gitignore_does(tmp_path, exclude, left):
    grow(tmp_path, "m/a.bin", "m/a.csv", "m/data/b.bin", "m/data/b.csv", "m/data/raw/c.bin")
    listing = list_folder(spec_of(tmp_path, *exclude), "m", place=HERE)
    assert paths(listing) == left
    assert all(reason.startswith("exclude '") for _, reason in listing.stripped)


def test_exclude_never_brings_junk_back(tmp_path):
    grow(tmp_path, "m/a.bin", "m/.git/config", "m/.DS_Store")
    listing = list_folder(spec_of(tmp_path, "!.git", "!.DS_Store", "!**"), "m", place=HERE)
    assert paths(listing) == ["a.bin"]


@pytest.mark.parametrize("exclude", ["", "  ", "#a", "!", "/", "../x", "data\\raw", "a\\"])
def test_exclude_patterns_that_cannot_work_are_told(tmp_path, exclude):
    grow(tmp_path, "m/a.bin")
    listing = list_folder(spec_of(tmp_path, "*.x", exclude), "m", place=HERE)
    assert codes(listing.findings) == ["WLR210"]
    assert listing.findings[0].place.key == ("tool", "wallaroo", "exclude", 1)
    assert paths(listing) == ["a.bin"]


@pytest.mark.parametrize("exclude", ["huge", "huge/", "/m/huge/", "m/huge", "**/huge/**"])
def test_excluded_folders_are_never_looked_into(tmp_path, monkeypatch, exclude):
    grow(tmp_path, "m/a.bin", "m/huge/x.bin", "m/.git/x.bin", "m/node_modules/x.bin", "m/sub/x.bin")
    scanned = set()
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: scanned.add(Path(path).name) or scandir(path))
    list_folder(spec_of(tmp_path, exclude), ".", place=HERE)
    list_declared(spec_of(tmp_path, exclude), ["**/*.bin", "m/*", "m/**/x.bin"])
    assert scanned == {tmp_path.name, "m", "sub"}


def test_an_exact_file_is_taken_although_excluded_and_that_is_said(tmp_path):
    grow(tmp_path, "m/a.csv", "m/b.csv", ".git/config")
    found, findings = find_file(spec_of(tmp_path, "*.csv"), "m/a.csv", place=HERE)
    assert (found.path, found.label) == ("a.csv", "m/a.csv")
    assert [(each.code, each.level) for each in findings] == [("WLR211", Level.NOTE)]
    assert "'*.csv'" in findings[0].message
    listing = list_declared(spec_of(tmp_path, "*.csv"), ["m/*", "m/a.csv", ".git/config"])
    assert paths(listing) == [".git/config", "m/a.csv"]
    assert listing.stripped == (("m/b.csv", "exclude '*.csv'"),)


GLOBS = [
    (["*.bin"], ["a.bin"]),
    (["m/*.bin"], ["m/b.bin"]),
    (["m/*"], ["m/b.bin", "m/c.txt", "m/sub/d.bin", "m/sub/deep/e.bin"]),
    (["m/**"], ["m/b.bin", "m/c.txt", "m/sub/d.bin", "m/sub/deep/e.bin"]),
    (["**/*.bin"], ["a.bin", "m/b.bin", "m/sub/d.bin", "m/sub/deep/e.bin"]),
    (["m/**/*.bin"], ["m/b.bin", "m/sub/d.bin", "m/sub/deep/e.bin"]),
    (["m/**/deep/*"], ["m/sub/deep/e.bin"]),
    (["m/*/d.bin"], ["m/sub/d.bin"]),
    (["**/**/e.bin"], ["m/sub/deep/e.bin"]),
    (["[ab].bin"], ["a.bin"]),
    (["?.bin", "a.bin", "./a.bin"], ["a.bin"]),
    (["m/s*"], ["m/sub/d.bin", "m/sub/deep/e.bin"]),
    (["m", "m/c.txt"], ["m/b.bin", "m/c.txt", "m/sub/d.bin", "m/sub/deep/e.bin"]),
    (["w[1].bin"], ["w[1].bin"]),
    (["*/"], ["m/b.bin", "m/c.txt", "m/sub/d.bin", "m/sub/deep/e.bin"]),
]


@pytest.mark.parametrize(("patterns", "expected"), GLOBS, ids=[" ".join(each) for each, _ in GLOBS])
def test_globs(tmp_path, patterns, expected):
    grow(tmp_path, "a.bin", "w[1].bin.x", "m/b.bin", "m/c.txt", "m/sub/d.bin", "m/sub/deep/e.bin")
    if patterns == ["w[1].bin"]:
        grow(tmp_path, "w[1].bin", "w1.bin")
    listing = list_declared(spec_of(tmp_path), patterns)
    assert [each for each in paths(listing) if patterns != ["*/"] or "/" in each] == expected
    assert listing.findings == ()


@pytest.mark.parametrize(
    ("patterns", "code", "told"),
    [
        (["m/*.onnx"], "WLR207", "the pattern 'm/*.onnx' matches no file"),
        (["m/*.csv"], "WLR207", "is left out: m/a.csv (exclude '*.csv')"),
        (["empty"], "WLR207", "the folder empty is empty"),
        (["gone/*.bin"], "WLR201", "'gone' does not exist"),
        (["gone"], "WLR201", "'gone' does not exist"),
        (["m/a.csv/*"], "WLR202", "m/a.csv is a file"),
    ],
)
def test_declared_paths_that_give_nothing_are_told(tmp_path, patterns, code, told):
    grow(tmp_path, "m/a.csv")
    (tmp_path / "empty").mkdir()
    listing = list_declared(spec_of(tmp_path, "*.csv"), ["m/a.csv", *patterns])
    found = [each for each in listing.findings if each.is_error]
    assert codes(found) == [code]
    assert told in found[0].message
    assert found[0].place.key == ("tool", "wallaroo")
    assert paths(listing) == ["m/a.csv"]


def test_findings_of_a_list_name_the_item(tmp_path):
    spec = make_spec(tmp_path, "custom", artifacts=("a", "b"))
    assert [each.place.key for each in list_declared(spec, spec.artifacts).findings] == [
        ("tool", "wallaroo", "artifacts", 0),
        ("tool", "wallaroo", "artifacts", 1),
    ]


@pytest.mark.parametrize(
    ("declared", "fix"),
    [
        ("models/modle.onnx", "did you mean 'models/model.onnx'?"),
        ("model/model.onnx", "did you mean 'models/model.onnx'?"),
        ("Models/model.onnx", "did you mean 'models/model.onnx'?"),
        ("model.onnx", "did you mean 'models/model.onnx'?"),
        ("quite/different.h5", "check the path; it is relative to the folder that holds pyproject.toml"),
        ("models/*.onnx", "name one path here; patterns are for `artifacts`"),
    ],
)
def test_a_missing_file_is_told_with_the_nearest(tmp_path, declared, fix):
    grow(tmp_path, "models/model.onnx")
    found, findings = find_file(spec_of(tmp_path), declared, place=HERE)
    if (tmp_path / declared).exists():
        pytest.skip("this file system does not tell upper from lower case")
    assert found is None
    assert [(each.code, each.fix, each.place) for each in findings] == [("WLR201", fix, HERE)]


REFUSED = [
    ("/etc/passwd", "is an absolute path"),
    ("~/m.onnx", "points into a home folder"),
    ("../m.onnx", "goes up with '..'"),
    ("a/../../m.onnx", "goes up with '..'"),
    ("a/..", "goes up with '..'"),
    ("C:/m.onnx", "is an absolute path"),
    ("C:m.onnx", "is an absolute path"),
    ("\\\\server\\m.onnx", "is an absolute path"),
    ("models\\m.onnx", "has backslashes"),
    ("m\x00.onnx", "has a control character in its name"),
    ("m\n.onnx", "has a control character in its name"),
    ("m\udcff.onnx", "is not UTF-8"),
    ("", "is empty"),
    ("  ", "is empty"),
    ("https://x.org/m.onnx", "is an address, not a path"),
    ("s3://bucket/m.onnx", "is an address, not a path"),
]


@pytest.mark.parametrize(("declared", "reason"), REFUSED, ids=range(len(REFUSED)))
def test_paths_that_are_not_inside_the_project_are_refused(tmp_path, declared, reason):
    spec = spec_of(tmp_path)
    for findings in (
        find_file(spec, declared, place=HERE)[1],
        list_folder(spec, declared, place=HERE).findings,
        list_declared(spec, [declared]).findings,
        list_declared(spec, [declared.replace("m.onnx", "*.onnx")]).findings,
    ):
        assert codes(findings) == ["WLR200"]
        assert reason in findings[0].message
        (findings[0].message + findings[0].fix).encode()


def test_the_fix_of_a_path_that_goes_up_stays_inside(tmp_path):
    _, (finding,) = find_file(spec_of(tmp_path), "models/x/../m.onnx", place=HERE)
    assert finding.fix == "write 'models/m.onnx'"


def test_a_folder_for_a_file_and_the_reverse(tmp_path):
    grow(tmp_path, "m/a.bin")
    _, (finding,) = find_file(spec_of(tmp_path), "m", place=HERE)
    assert (finding.code, finding.message) == ("WLR202", "m is a folder; a file is expected here")
    (finding,) = list_folder(spec_of(tmp_path), "m/a.bin", place=HERE).findings
    assert (finding.code, finding.fix) == ("WLR202", "name the folder that it lies in: 'm'")


@POSIX
def test_links_inside_the_project_are_followed(tmp_path):
    grow(tmp_path, "blobs/1", "blobs/more/2", "m/a.bin")
    (tmp_path / "m/one").symlink_to("../blobs")
    (tmp_path / "m/two").symlink_to(tmp_path / "blobs")
    (tmp_path / "m/file").symlink_to("../blobs/1")
    (tmp_path / "whole").symlink_to("m")
    expected = ["a.bin", "file", "one/1", "one/more/2", "two/1", "two/more/2"]
    listing = list_folder(spec_of(tmp_path), "m", place=HERE)
    assert (paths(listing), listing.findings) == (expected, ())
    assert listing.files[2].absolute.read_text() == "blobs/1"
    through = list_folder(spec_of(tmp_path), "whole", place=HERE)
    assert (paths(through), through.findings) == (expected, ())
    assert find_file(spec_of(tmp_path), "whole/one/1", place=HERE)[0].label == "whole/one/1"


@POSIX
def test_a_project_that_is_itself_a_link_is_no_outside(tmp_path):
    grow(tmp_path / "real", "m/a.bin")
    (tmp_path / "real/m/b.bin").symlink_to("a.bin")
    (tmp_path / "alias").symlink_to("real")
    listing = list_folder(spec_of(tmp_path / "alias"), "m", place=HERE)
    assert (paths(listing), listing.findings) == (["a.bin", "b.bin"], ())


@POSIX
def test_links_that_leave_the_project_are_refused(tmp_path):
    grow(tmp_path, "outside/x", "project-b/x", "project/m/a.bin")
    root = tmp_path / "project"
    (root / "m/folder").symlink_to(tmp_path / "outside")
    (root / "m/file").symlink_to("../../outside/x")
    (root / "m/sibling").symlink_to("../../project-b")
    (root / "m/chain").symlink_to("file")
    (root / "out").symlink_to("../outside")
    listing = list_folder(spec_of(root), "m", place=HERE)
    assert codes(listing.findings) == ["WLR203"] * 4
    assert paths(listing) == ["a.bin"]
    assert codes(list_folder(spec_of(root), "out", place=HERE).findings) == ["WLR203"]
    assert codes(find_file(spec_of(root), "out/x", place=HERE)[1]) == ["WLR203"]
    assert codes(find_file(spec_of(root), "m/file", place=HERE)[1]) == ["WLR203"]
    assert codes(list_declared(spec_of(root), ["m/f*e"]).findings) == ["WLR203"]
    assert list_folder(spec_of(root, "m/folder", "m/file", "sibling", "chain"), "m", place=HERE).findings == ()


@POSIX
def test_links_in_circles_and_to_nowhere_are_told(tmp_path):
    grow(tmp_path, "m/a/x.bin", "b/y.bin")
    (tmp_path / "m/a/up").symlink_to("..")
    (tmp_path / "m/self").symlink_to("self")
    (tmp_path / "m/root").symlink_to("..")
    (tmp_path / "m/gone").symlink_to("nothing")
    (tmp_path / "m/b").symlink_to("../b")
    (tmp_path / "b/m").symlink_to("../m")
    listing = list_folder(spec_of(tmp_path), "m", place=HERE)
    told = {each.message.split()[0]: each.code for each in listing.findings}
    assert told == dict.fromkeys(("m/a/up", "m/self", "m/root", "m/gone", "m/b/m"), "WLR204")
    assert paths(listing) == ["a/x.bin", "b/y.bin"]


@POSIX
def test_links_that_multiply_end(tmp_path, monkeypatch):
    monkeypatch.setattr(walk, "LIMIT", 500)
    for level in range(20):
        folder = tmp_path / f"m/{level}"
        folder.mkdir(parents=True)
        (folder / "file").write_text("x")
        (folder / "left").symlink_to(f"../{level + 1}")
        (folder / "right").symlink_to(f"../{level + 1}")
    grow(tmp_path, "m/20/x")
    for listing in (list_folder(spec_of(tmp_path), "m/0", place=HERE), list_declared(spec_of(tmp_path), ["m/**/file"])):
        assert codes(listing.findings) == ["WLR209"]
        assert listing.files == ()


@POSIX
def test_devices_pipes_and_sockets_are_never_opened(tmp_path, monkeypatch):
    grow(tmp_path, "m/a.bin")
    os.mkfifo(tmp_path / "m/pipe")
    (tmp_path / "m/null").symlink_to("/dev/null")
    (tmp_path / "m/to_pipe").symlink_to("pipe")
    monkeypatch.chdir(tmp_path / "m")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        listing = list_folder(spec_of(tmp_path), "m", place=HERE)
        told = {each.message.split()[0]: (each.code, each.message) for each in listing.findings}
    assert told["m/pipe"] == ("WLR205", "m/pipe is a named pipe, not a regular file")
    assert told["m/to_pipe"][0] == "WLR205"
    assert told["m/s"] == ("WLR205", "m/s is a socket, not a regular file")
    assert told["m/null"][0] == "WLR203"
    assert paths(listing) == ["a.bin"]
    assert codes(find_file(spec_of(tmp_path), "m/pipe", place=HERE)[1]) == ["WLR205"]
    assert codes(list_declared(spec_of(tmp_path), ["m/*.bin"]).findings) == []


@pytest.mark.skipif(sys.platform != "linux", reason="file systems that store any bytes")
def test_names_that_are_not_utf8_are_refused(tmp_path):
    grow(tmp_path, "m/a.bin", "m/back\\slash", "m/new\nline")
    (tmp_path / "m/caf\udce9").write_text("x")
    (tmp_path / "m/d\udcff").mkdir()
    listing = list_folder(spec_of(tmp_path), "m", place=HERE)
    assert codes(listing.findings) == ["WLR208"] * 4
    text = "\n".join(each.message for each in listing.findings)
    text.encode()
    assert "m/caf\\xe9 has a name that is not UTF-8" in text
    assert "m/new\\x0aline has a control character" in text
    assert paths(listing) == ["a.bin"]
    assert list_folder(spec_of(tmp_path, "caf*", "d*", "back*", "new*"), "m", place=HERE).findings == ()


@pytest.mark.skipif(sys.platform != "linux", reason="file systems that keep names as they are")
def test_paths_are_composed_and_labels_are_as_on_the_disk(tmp_path):
    name = unicodedata.normalize("NFD", "é.bin")
    grow(tmp_path, f"m/{name}")
    (found,) = list_folder(spec_of(tmp_path), "m", place=HERE).files
    assert (found.path, found.label) == ("é.bin", f"m/{name}")
    assert found.absolute.exists()
    assert find_file(spec_of(tmp_path), f"m/{name}", place=HERE)[0].path == "é.bin"


def test_names_in_other_scripts_are_taken(tmp_path):
    grow(tmp_path, "m/模型.bin", "m/emoji 🙂.bin", "m/sp ace.bin")
    assert paths(list_folder(spec_of(tmp_path), "m", place=HERE)) == ["emoji 🙂.bin", "sp ace.bin", "模型.bin"]


def test_unreadable_files_and_folders_are_told(tmp_path, monkeypatch):
    grow(tmp_path, "m/a.bin", "m/secret.bin", "m/locked/x.bin")
    access, scandir = os.access, os.scandir

    def refuse(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "no")
        return scandir(path)

    monkeypatch.setattr(os, "access", lambda path, mode: "secret" not in str(path) and access(path, mode))
    monkeypatch.setattr(os, "scandir", refuse)
    listing = list_folder(spec_of(tmp_path), "m", place=HERE)
    assert sorted(each.message for each in listing.findings) == [
        "m/locked cannot be read: permission denied",
        "m/secret.bin cannot be read: permission denied",
    ]
    assert set(codes(listing.findings)) == {"WLR206"}
    assert paths(listing) == ["a.bin"]


@pytest.mark.parametrize("declared", ["m/a.bin", "m/sub/b.bin", "m/nothing.bin", "m"])
def test_what_lies_in_a_folder_that_may_not_be_searched_is_unreadable(tmp_path, monkeypatch, declared):
    grow(tmp_path, "m/a.bin", "m/sub/b.bin", "other/c.bin")
    lock(monkeypatch, tmp_path / "m")
    if declared != "m":
        found, findings = find_file(spec_of(tmp_path), declared, place=HERE)
        assert found is None
        assert [(each.code, each.message) for each in findings] == [
            ("WLR206", f"{declared} cannot be read: permission denied")
        ]
    listing = list_declared(spec_of(tmp_path), [declared, "other"])
    assert (codes(listing.findings), paths(listing)) == (["WLR206"], ["other/c.bin"])


@pytest.mark.parametrize("declared", ["a.bin", "z/a.bin"])
def test_a_file_that_is_missing_is_not_looked_for_where_nobody_may_search(tmp_path, monkeypatch, declared):
    grow(tmp_path, "m/a.bin", "n/a.bin")
    lock(monkeypatch, tmp_path / "m")
    (finding,) = find_file(spec_of(tmp_path), declared, place=HERE)[1]
    assert (finding.code, finding.fix) == ("WLR201", "did you mean 'n/a.bin'?")


def test_files_that_vanish_meanwhile_are_told(tmp_path, monkeypatch):
    grow(tmp_path, "m/a.bin", "m/b.bin", "m/sub/c.bin")
    access, scandir = os.access, os.scandir

    def vanish(path, mode):
        if str(path).endswith("b.bin"):
            Path(path).unlink()
        return access(path, mode)

    def gone(path):
        if str(path).endswith("sub"):
            raise FileNotFoundError(2, "gone")
        return scandir(path)

    monkeypatch.setattr(os, "access", vanish)
    monkeypatch.setattr(os, "scandir", gone)
    listing = list_folder(spec_of(tmp_path), "m", place=HERE)
    assert sorted(each.message for each in listing.findings) == [
        "m/b.bin vanished during the build",
        "m/sub vanished during the build",
    ]
    assert paths(listing) == ["a.bin"]


def test_too_many_files_are_told_once(tmp_path, monkeypatch):
    monkeypatch.setattr(walk, "LIMIT", 10)
    grow(tmp_path, *(f"m/{number}" for number in range(11)), *(f"n/{number}/x" for number in range(11)))
    for folder in ("m", "n"):
        listing = list_folder(spec_of(tmp_path), folder, place=HERE)
        assert codes(listing.findings) == ["WLR209"]
        assert folder in listing.findings[0].message


@POSIX
def test_a_path_too_deep_to_be_unpacked_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "m"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for _ in range(20):
        Path("d" * 200).mkdir()
        os.chdir("d" * 200)
    Path("x").write_text("x")
    monkeypatch.undo()
    listing = list_folder(spec_of(tmp_path), "m", place=HERE)
    assert codes(listing.findings) == ["WLR208"]
    assert listing.files == ()


def test_nothing_is_opened(tmp_path, monkeypatch):
    grow(tmp_path, "m/a.bin", "m/sub/b.bin")
    monkeypatch.setattr("builtins.open", None)
    monkeypatch.setattr("pathlib.Path.open", None)
    assert paths(list_folder(spec_of(tmp_path), "m", place=HERE)) == ["a.bin", "sub/b.bin"]
