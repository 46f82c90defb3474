"""requirements.txt: what is read, what is refused, what comes out."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from hatch_wallaroo.config.spec import Project, RequirementsFrom
from hatch_wallaroo.findings import Level
from hatch_wallaroo.requirements.repair import repaired
from hatch_wallaroo.requirements.resolve import requirements_text
from support.factory import make_spec


def listed(tmp_path, *lines, **options):
    spec = make_spec(tmp_path, "custom", requirements=RequirementsFrom("list", lines=lines), **options)
    return requirements_text(spec)


def from_file(tmp_path, text, name="requirements.txt", **options):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return requirements_text(make_spec(tmp_path, "custom", requirements=RequirementsFrom("file", file=name), **options))


def of_project(tmp_path, *dependencies, **options):
    more = {key: options.pop(key) for key in ("optional_dependencies", "requires_python") if key in options}
    spec = make_spec(tmp_path, "custom", project=Project("a-model", "1.0", dependencies, **more), **options)
    return requirements_text(spec)


def said(made, *, notes=False):
    return [each for each in made.findings if notes or each.level is not Level.NOTE]


def test_nothing_required_is_an_empty_text(tmp_path):
    made = of_project(tmp_path)
    assert (made.text, made.lines, made.findings) == ("", (), ())


def test_dependencies_of_the_project_keep_their_order_and_names(tmp_path):
    made = of_project(tmp_path, "Zope.Interface==5.0", "attrs >= 20, <25", "numpy[tests, dev]~=1.22.0")
    assert made.text == "Zope.Interface==5.0\nattrs<25,>=20\nnumpy[dev,tests]~=1.22.0\n"
    assert made.lines == ("Zope.Interface==5.0", "attrs<25,>=20", "numpy[dev,tests]~=1.22.0")
    assert said(made) == []


MARKERS = [
    ("2023.2.1", None, "python_version < '3.9'", True),
    ("2023.2.1", None, "python_version >= '3.9'", False),
    ("2026.1", None, "python_version >= '3.9'", True),
    ("2026.1", None, "python_version < '3.9'", False),
    ("2026.1", None, "python_full_version >= '3.10.2'", True),
    ("2026.1", None, "sys_platform == 'linux'", True),
    ("2026.1", None, "sys_platform == 'darwin' or os_name == 'nt'", False),
    ("2026.1", None, "platform_system != 'Linux'", False),
    ("2026.1", None, "platform_machine == 'x86_64'", True),
    ("2026.1", "x86", "platform_machine == 'x86_64'", True),
    ("2026.1", "arm", "platform_machine == 'x86_64'", False),
    ("2026.1", "arm", "platform_machine == 'aarch64'", True),
    ("2026.1", "power10", "platform_machine == 'ppc64le'", True),
    ("2026.1", None, "implementation_name == 'pypy'", False),
    ("2026.1", None, "extra == 'gpu'", False),
]


@pytest.mark.parametrize(("release", "arch", "marker", "applies"), MARKERS)
def test_markers_are_the_platforms(tmp_path, release, arch, marker, applies):
    made = listed(tmp_path, f"idna==3.4; {marker}", release=release, arch=arch)
    assert made.text == ("idna==3.4\n" if applies else "")
    assert [each.code for each in made.findings] == ([] if applies else ["WLR261"])


def test_what_is_left_out_is_one_note(tmp_path):
    made = of_project(tmp_path, "colorama==1; sys_platform=='win32'", "idna==3.4", "tomli==2; python_version<'3.7'")
    (note,) = made.findings
    assert note.level is Level.NOTE
    assert note.message.startswith("not needed on Python 3.8 on Linux x86_64: colorama (sys_platform")
    assert "tomli (" in note.message
    assert made.lines == ("idna==3.4",)


def test_extras_of_the_project_itself_are_expanded(tmp_path):
    made = of_project(
        tmp_path,
        "a-model[all]",
        "idna==3.4",
        optional_dependencies={
            "All": ("A_Model[gpu,text]", "attrs==22.1"),
            "gpu": ("torch==2.0.0; platform_machine=='x86_64'",),
            "text": ("a-model[all]", "nltk==3.8; extra == 'text'"),
        },
    )
    assert made.lines == ("torch==2.0.0", "nltk==3.8", "attrs==22.1", "idna==3.4")
    assert said(made) == []


def test_an_unknown_extra_of_the_project_names_the_nearest(tmp_path):
    made = of_project(tmp_path, "a-model[gpus]", optional_dependencies={"gpu": ("torch",)})
    (finding,) = said(made)
    assert (finding.code, finding.fix) == ("WLR262", "did you mean 'a-model[gpu]'?")
    assert finding.place.key == ("project", "dependencies", 0)


def test_a_broken_line_of_an_extra_is_told_at_the_extra(tmp_path):
    made = of_project(tmp_path, "a-model[gpu]", optional_dependencies={"gpu": ("torch", "numpy=1")})
    assert said(made)[0].place.key == ("project", "optional-dependencies", "gpu", 1)


ADDRESSES = [
    ("idna @ https://files.example.org/idna-3.4-py3-none-any.whl", "WLR251", "write 'idna==3.4'"),
    ("https://files.example.org/x/idna-3.4.tar.gz#sha256=ab", "WLR251", "write 'idna==3.4'"),
    ("git+https://github.com/x/my-lib.git@v1.2.3#egg=my-lib", "WLR251", "write 'my-lib==1.2.3'"),
    ("my-lib @ git+ssh://git@github.com/x/my-lib.git", "WLR251", "byop.packages"),
    ("numpy @ file:///croot/numpy_1682953417311/work", "WLR252", "write 'numpy==…'"),
    ("./libs/helper", "WLR252", "name and version"),
    ("../helper", "WLR252", "name and version"),
    (".", "WLR252", "name and version"),
    ("/home/me/wheels/idna-3.4-py3-none-any.whl", "WLR252", "write 'idna==3.4'"),
    ("wheels/idna-3.4-py3-none-any.whl", "WLR252", "write 'idna==3.4'"),
    ("C:\\wheels\\idna-3.4-py3-none-any.whl", "WLR252", "write 'idna==3.4'"),
    ("file:///tmp/idna-3.4-py3-none-any.whl", "WLR252", "write 'idna==3.4'"),
    ("-e .", "WLR252", "byop.packages"),
    ("--editable=git+https://github.com/x/y#egg=y", "WLR252", "byop.packages"),
]


@pytest.mark.parametrize(("line", "code", "fix"), ADDRESSES)
def test_addresses_and_paths_are_refused_with_what_to_write(tmp_path, line, code, fix):
    made = listed(tmp_path, "attrs==22.1", line)
    (finding,) = said(made)
    assert finding.code == code
    assert fix in finding.fix
    assert finding.place.key == ("tool", "wallaroo", "requirements", 1)
    assert made.lines == ("attrs==22.1",)


REPAIRS = [
    ("numpy=1.22.3", "numpy==1.22.3"),
    ("numpy 1.22.3", "numpy==1.22.3"),
    ("numpy=>1.22", "numpy>=1.22"),
    ("numpy =< 1.22", "numpy<=1.22"),
    ("numpy~1.22", "numpy~=1.22"),
    ("numpy> =1.22", "numpy>=1.22"),
    ("numpy==1.22.3,", "numpy==1.22.3"),
    ("numpy==1.22.3;", "numpy==1.22.3"),
    ("numpy=1.22.3=py38h0", "numpy==1.22.3"),
    ('numpy = "^1.22"', "numpy>=1.22,<2"),
    ("numpy^0.4.1", "numpy>=0.4.1,<0.5"),
    ('numpy = ">=1.2,<2"', "numpy>=1.2,<2"),
    ('numpy = "*"', "numpy"),
    ('"numpy==1.22.3"', "numpy==1.22.3"),
    ('"numpy==1.22.3",', "numpy==1.22.3"),
    ("pip install numpy==1.22", "numpy==1.22"),
    ("pip install numpy=1.22", "numpy==1.22"),
    ("numpy>=1.22.*", "numpy>=1.22"),
    ("numpy: 1.22", "numpy==1.22"),
    ("numpy@1.22", "numpy==1.22"),
    ("numpy==latest", "numpy"),
    ("numpy==1.22#pinned", "numpy==1.22"),
    ("scikit learn", "scikit-learn"),
    ("numpy; python_version<3.9", "numpy; python_version<'3.9'"),
    ("numpy[a]=1.0", "numpy[a]==1.0"),
    ("!!", None),
    ("", None),
    ("=" * 5_000, None),
]


@pytest.mark.parametrize(("line", "meant"), REPAIRS)
def test_unreadable_lines_are_told_with_what_was_meant(line, meant):
    assert repaired(line) == meant
    if meant:
        Requirement(meant)


def test_an_unreadable_line_is_told_with_its_place(tmp_path):
    made = from_file(tmp_path, "idna==3.4\n\n# why\nnumpy=1.22.3 # comment\nattrs==22.1\n", "reqs/base.txt")
    (finding,) = said(made)
    assert finding.code == "WLR250"
    assert finding.message == "reqs/base.txt:4: 'numpy=1.22.3' is not a requirement"
    assert finding.fix == "did you mean 'numpy==1.22.3'?"
    assert (finding.place.file, finding.place.line) == ("reqs/base.txt", 4)
    assert made.lines == ("idna==3.4", "attrs==22.1")


def test_two_on_one_line_are_told_apart(tmp_path):
    (finding,) = said(listed(tmp_path, "numpy==1.22.3 pandas==1.3.4"))
    assert finding.fix == "write one a line: 'numpy==1.22.3' and 'pandas==1.3.4'"


def test_a_marker_that_does_not_exist_is_told(tmp_path):
    assert [each.code for each in said(listed(tmp_path, "idna==3.4; python > '3'"))] == ["WLR250"]


def test_comments_blank_lines_and_continuations(tmp_path):
    made = from_file(tmp_path, "# head\n\nidna\\\n  ==3.4  # why\n  \nattrs==22.1 \\\n   ; python_version < '4'\n")
    assert made.text == "idna==3.4\nattrs==22.1\n"
    assert said(made) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_as_pip_takes_them(tmp_path, encoding):
    made = from_file(tmp_path, "idna==3.4\r\n# ü\r\nattrs==22.1\r\n".encode(encoding))
    assert made.text == "idna==3.4\nattrs==22.1\n"


@pytest.mark.parametrize(
    "content", ["# für\nidna".encode("latin-1"), b"idna\x00==1", b"i" * (1 << 20) + b"i"], ids=["latin", "nul", "large"]
)
def test_a_file_that_is_no_text_is_told(tmp_path, content):
    made = from_file(tmp_path, content)
    assert [each.code for each in said(made)] == ["WLR256"]
    assert made.text == ""


def test_nested_files_are_relative_to_the_one_that_names_them(tmp_path):
    (tmp_path / "reqs").mkdir()
    (tmp_path / "common.txt").write_text("attrs==22.1\n")
    (tmp_path / "reqs" / "more.txt").write_text("idna==3.4\n")
    made = from_file(tmp_path, "-r ../common.txt\n--requirement=more.txt\n-rmore.txt\nsix==1.16\n", "reqs/all.txt")
    assert made.lines == ("attrs==22.1", "idna==3.4", "six==1.16")
    assert said(made) == []


@pytest.mark.parametrize("line", ["-r ../outside.txt", "-r /etc/passwd", "-r gone.txt", "-r https://x.org/r.txt", "-r"])
def test_nested_files_outside_or_missing_are_told(tmp_path, line):
    root = tmp_path / "project"
    (tmp_path / "outside.txt").write_text("six==1.16")
    made = from_file(root, f"idna==3.4\n{line}\n")
    (finding,) = said(made)
    assert (finding.place.file, finding.place.line) == ("requirements.txt", 2)
    assert made.lines == ("idna==3.4",)


def test_files_that_include_each_other_are_told(tmp_path):
    (tmp_path / "b.txt").write_text("idna==3.4\n-r a.txt\n")
    made = from_file(tmp_path, "-r b.txt\n", "a.txt")
    assert [(each.code, each.place.file, each.place.line) for each in said(made)] == [("WLR256", "b.txt", 2)]
    assert said(made)[0].message == "requirements files include each other: a.txt → b.txt → a.txt"
    assert made.lines == ("idna==3.4",)


def test_constraints_narrow_what_is_required(tmp_path):
    (tmp_path / "c.txt").write_text("idna==3.4\nsix<2\n")
    made = from_file(tmp_path, "-c c.txt\nidna>=3\n")
    assert made.lines == ("idna==3.4,>=3",)
    assert [(each.code, each.level) for each in made.findings] == [("WLR265", Level.NOTE)]
    assert "six<2" in made.findings[0].message


def test_indexes_go_along_and_logins_do_not(tmp_path):
    made = from_file(
        tmp_path,
        "--extra-index-url https://download.example.org/cpu\n"
        "-i https://jane:s3cretW0rd@pypi.internal/simple\n"
        "--find-links ./wheels\n--pre\nidna==3.4\n",
    )
    assert made.text == "--extra-index-url https://download.example.org/cpu\n--pre\nidna==3.4\n"
    assert made.lines == ("idna==3.4",)
    assert [(each.code, each.place.line) for each in said(made)] == [("WLR253", 2), ("WLR254", 3)]
    assert "s3cretW0rd" not in repr(made)
    assert "jane" not in repr(made)
    assert "https://…@pypi.internal/simple" in said(made)[0].message


def test_logins_in_direct_references_are_not_told(tmp_path):
    made = listed(tmp_path, "lib @ git+https://bot:s3cretW0rd@git.internal/lib.git", "https://u:s3cretW0rd@x.org/a.whl")
    assert len(said(made)) == 2
    assert "s3cretW0rd" not in repr(made)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("--no-index", "WLR254"),
        ("--use-feature=fast-deps", "WLR254"),
        ("--frobnicate 3", "WLR254"),
        ("-", "WLR254"),
        ("idna==3.4 --global-option=x", "WLR254"),
        ("--extra-index-url https://${USER}@x.org", "WLR263"),
        ("idna==${VERSION}", "WLR263"),
    ],
)
def test_options_that_cannot_be_followed_are_told(tmp_path, line, code):
    assert [each.code for each in said(from_file(tmp_path, line + "\n"))] == [code]


HASH = "--hash=sha256:" + "ab" * 32


def test_hashes_go_along(tmp_path):
    made = from_file(tmp_path, f"idna==3.4 \\\n    {HASH} \\\n    {HASH.replace('ab', 'cd')}\n")
    assert made.text == f"idna==3.4 {HASH} {HASH.replace('ab', 'cd')}\n"
    assert made.lines == ("idna==3.4",)
    assert said(made) == []


@pytest.mark.parametrize("other", ["six==1.16", f"six>=1.16 {HASH}"])
def test_hashes_for_some_lines_only_are_told(tmp_path, other):
    (finding,) = said(from_file(tmp_path, f"idna==3.4 {HASH}\n{other}\n"))
    assert (finding.code, "six" in finding.message) == ("WLR264", True)


MERGES = [
    (["idna==3.4", "idna==3.4"], ["idna==3.4"]),
    (["idna>=3", "IDNA<4"], ["idna<4,>=3"]),
    (["a.b[x]==1", "six==1.16", "A-B[y]"], ["a.b[x,y]==1", "six==1.16"]),
    (["idna==3.4; python_version<'3.9'", "idna==3.9; python_version>='3.9'"], ["idna==3.4"]),
    (["idna==3.*", "idna==3.4"], ["idna==3.*,==3.4"]),
    (["idna==3.4", "idna==3.4.0"], ["idna==3.4,==3.4.0"]),
]


@pytest.mark.parametrize(("lines", "merged"), MERGES)
def test_a_package_is_one_line(tmp_path, lines, merged):
    made = listed(tmp_path, *lines)
    assert list(made.lines) == merged
    assert said(made) == []


@pytest.mark.parametrize(
    "lines",
    [
        ["idna==3.4", "idna==3.5"],
        ["idna==3.4", "Idna>=3.5"],
        ["idna>=4", "idna<3"],
        ["idna>=3,<3"],
        ["idna==3.4,!=3.4"],
        ["idna>3.4", "idna<=3.4"],
        ["idna~=3.4", "idna<3.0"],
    ],
)
def test_requirements_that_exclude_each_other_are_told(tmp_path, lines):
    (finding,) = said(listed(tmp_path, *lines))
    assert finding.code == "WLR255"
    assert finding.place.key[-1] == len(lines) - 1


def test_conflicts_name_both_places(tmp_path):
    (tmp_path / "b.txt").write_text("six==1.16\nidna==3.5\n")
    (finding,) = said(from_file(tmp_path, "idna==3.4\n-r b.txt\n"))
    assert "idna==3.4 (requirements.txt:1) and idna==3.5 (b.txt:2)" in finding.message


@pytest.mark.parametrize(
    "line", ["idna>=3,<4", "idna>3,<3.1", "idna>=3,<=3", "idna!=3", "idna~=3.4", "idna==3.*,!=3.1", "idna===3.4"]
)
def test_what_can_be_satisfied_is_left_alone(tmp_path, line):
    assert said(listed(tmp_path, line)) == []


@pytest.mark.parametrize(
    ("release", "line", "told"),
    [
        ("2023.2.1", "numpy==1.24.0", "numpy 1.22.3"),
        ("2023.2.1", "numpy>=1.23", "numpy 1.22.3"),
        ("2023.2.1", "numpy==1.22.3", None),
        ("2023.2.1", "numpy", None),
        ("2023.2.1", "Pandas==1.5.3", "Pandas 1.3.4"),
        ("2026.1", "pyarrow==9.0.0", "pyarrow 14.0.1"),
        ("2026.1", "numpy==1.26.0", None),
    ],
)
def test_the_runtimes_own_pins_are_minded(tmp_path, release, line, told):
    found = [each for each in said(listed(tmp_path, line, release=release)) if each.code == "WLR258"]
    assert len(found) == (told is not None)
    if told:
        assert told in found[0].message
        assert found[0].level is Level.WARNING


@pytest.mark.parametrize(
    ("line", "code", "level"),
    [
        ("hatch-wallaroo", "WLR259", Level.WARNING),
        ("Hatch_Wallaroo[publish]==1", "WLR259", Level.WARNING),
        ("wallaroo==2023.2.1", "WLR259", Level.WARNING),
        ("hatch", "WLR259", Level.WARNING),
        ("python>=3.8", "WLR266", Level.ERROR),
        ("sklearn", "WLR266", Level.WARNING),
        ("pytorch", "WLR266", Level.WARNING),
    ],
)
def test_needless_and_misnamed_packages_are_told(tmp_path, line, code, level):
    assert [(each.code, each.level) for each in said(of_project(tmp_path, line))] == [(code, level)]


@pytest.mark.parametrize(
    ("requires", "release", "told"),
    [
        (">=3.9", "2023.2.1", True),
        (">=3.8", "2023.2.1", False),
        (">=3.8.1", "2023.2.1", False),
        ("", "2023.2.1", False),
        (">=3.9", "2026.1", False),
        ("==3.11.*", "2026.1", True),
        ("nonsense", "2026.1", False),
    ],
)
def test_the_projects_own_python_is_compared(tmp_path, requires, release, told):
    made = of_project(tmp_path, requires_python=requires, release=release)
    assert [each.code for each in made.findings] == (["WLR257"] if told else [])


def test_unpinned_requirements_are_one_note(tmp_path):
    made = of_project(tmp_path, "idna", "six>=1", "attrs==22.1")
    (note,) = made.findings
    assert (note.code, note.level) == ("WLR260", Level.NOTE)
    assert note.message == "idna, six have no exact version"
    assert note.place.key == ("project", "dependencies")


def test_everything_is_told_at_once(tmp_path):
    made = listed(tmp_path, "numpy=1", "-e .", "idna==3", "idna==4", "--no-index", "x @ git+https://x.org/y")
    assert sorted(each.code for each in said(made)) == ["WLR250", "WLR251", "WLR252", "WLR254", "WLR255"]


@pytest.mark.parametrize(
    "line", ["a" * 100_000, "[" * 5_000, "(" * 5_000, "a;" + "(" * 3_000, "a[" + "b," * 10_000, "\\"], ids=range(6)
)
def test_hostile_lines_are_findings(tmp_path, line):
    assert len(said(listed(tmp_path, line))) <= 1
    assert all(len(each.message) < 400 for each in listed(tmp_path, line).findings if each.is_error)


@pytest.mark.parametrize("name", ["requirements.txt", "needs/more.txt"])
def test_a_file_that_was_never_fetched_is_one_finding(tmp_path, name):
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 123456789\n"
    made = from_file(tmp_path, text, name)
    assert [(each.code, each.fix) for each in made.findings] == [("WLR230", f"git lfs pull --include='{name}'")]
    assert made.lines == ()
