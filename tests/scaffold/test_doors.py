"""The three doors as a user goes through them: one repository from all, which builds and is published."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hatch_wallaroo.releases.load import known
from support.fronts import FrontEnds
from support.sandboxes import Sandbox, running
from support.scaffolds import tree

pytestmark = pytest.mark.slow

Run = Callable[..., tuple[int, str]]
NAME, PROJECT = "My Roses", "my-roses"
LAST = known()[-1]
DOORS = ("hatch new", "hatch-wallaroo new", "template-config")
FRAMEWORKS = ("custom", "sklearn", "onnx")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox"), LAST) as sandbox:
        yield sandbox


@pytest.fixture
def run(fronts: FrontEnds, beside_hatch: Path, tmp_path: Path) -> Run:
    """Run a command as somebody called Ada, whose Hatch has a configuration of its own."""
    (tmp_path / "config.toml").write_text("")
    someone = {
        "PYTHONPATH": str(beside_hatch),
        "HOME": str(tmp_path),
        "GIT_AUTHOR_NAME": 'Ada "L" Lovelace',
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "HATCH_CONFIG": str(tmp_path / "config.toml"),
    }

    def command(*arguments: str, cwd: Path = tmp_path, **environment: str) -> tuple[int, str]:
        done = fronts.run(*arguments, cwd=cwd, **{**someone, **environment})
        output = done.stdout + done.stderr
        assert "Traceback" not in output, output
        return done.returncode, output

    return command


def open_door(door: str, run: Run, folder: Path, framework: str = "", release: str = "", config: str = "") -> Path:
    """Make the repository `My Roses` in a folder; gives its own."""
    folder.mkdir()
    wishes = {"framework": framework, "release": release}
    settings = folder.parent / "config.toml"
    settings.write_text(config)
    if door == "hatch new":
        table = "".join(f'{key} = "{value}"\n' for key, value in wishes.items() if value)
        settings.write_text(f"{config}\n[template.plugins.wallaroo]\n{table}")
        code, output = run("hatch", "new", NAME, cwd=folder)
    elif door == "hatch-wallaroo new":
        flags = [part for key, value in wishes.items() if value for part in (f"--{key}", value)]
        code, output = run("hatch-wallaroo", "new", NAME, *flags, cwd=folder)
    else:
        code, shipped = run("hatch-wallaroo", "template-config", cwd=folder)
        assert code == 0, shipped
        variables = {f"HATCH_WALLAROO_{key.upper()}": value for key, value in wishes.items() if value}
        code, output = run("hatch", "--config", shipped.strip(), "new", NAME, cwd=folder, **variables)
    assert code == 0, output
    assert "Roses" not in "".join(path.name for path in folder.iterdir())
    return folder / PROJECT


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_one_repository_from_all_doors_builds_and_is_published(
    framework: str, run: Run, platform: Sandbox, tmp_path: Path
) -> None:
    roots = [open_door(door, run, tmp_path / str(number), framework, LAST) for number, door in enumerate(DOORS)]
    assert 'name = "Ada \\"L\\" Lovelace", email = "ada@example.com"' in (roots[0] / "pyproject.toml").read_text()
    assert tree(roots[0]) == tree(roots[1]) == tree(roots[2])
    versions = set()
    for number, root in enumerate(roots):
        # The build environment gets the plugin's wheel of its own.
        code, output = run("hatch", "build", cwd=root, PYTHONPATH="")
        assert code == 0, output
        assert not [word for word in ("warning[", "note[", "error[") if word in output], output
        result = tmp_path / f"{number}.json"
        options = [f"workspace={framework}", "create-workspace", "poll=0.1", f"json={result}"]
        arguments = [part for option in options for part in ("-o", option)]
        code, output = run("hatch", "publish", "-p", "wallaroo", *arguments, cwd=root, **platform.environment)
        assert code == 0, output
        (model,) = json.loads(result.read_text())["models"]
        assert (model["model"], model["status"]) == (PROJECT, "ready")
        # One repository is one bundle: what the first door sent is there already for the others.
        assert model["outcome"] == ("present" if number else "ready")
        versions.add((model["model_version_id"], model["sha256"]))
    assert len(versions) == 1


CONFIGS = {
    "nothing": "",
    "an author and a license": '[template]\nname = "Grace"\nemail = "grace@example.com"\n'
    '[template.licenses]\nheaders = true\ndefault = ["Apache-2.0"]\n',
    "what Hatch writes by itself": '[template]\nname = "Ada \\"L\\" Lovelace"\nemail = "ada@example.com"\n'
    '[template.licenses]\nheaders = true\ndefault = ["MIT"]\n',
    "nobody": '[template]\nname = "U.N. Owen"\nemail = "void@some.where"\n',
}


@pytest.mark.parametrize("config", CONFIGS)
def test_what_hatch_knows_holds_for_all_doors(config: str, run: Run, tmp_path: Path) -> None:
    made = [
        tree(open_door(door, run, tmp_path / str(number), config=CONFIGS[config])) for number, door in enumerate(DOORS)
    ]
    assert made[0] == made[1] == made[2]
    text = made[0]["pyproject.toml"].decode()
    assert f'framework = "custom"\nrelease = "{LAST}"' in text
    assert ('license = "Apache-2.0"' in text) == (config == "an author and a license")
    author = {"an author and a license": "Grace", "nobody": "Ada"}.get(config, "Ada")
    assert author in text


def test_hatchs_interactive_mode(run: Run, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[template.plugins.wallaroo]\n")
    said = ["wine", "Tells {{ wines }} apart.", "2024", "2024.1", "skleran", "99", "5"]
    (tmp_path / "answers").write_text("\n".join([*said, ""]))
    code, output = run("sh", "-c", "hatch new -i < answers", GIT_AUTHOR_NAME="", GIT_AUTHOR_EMAIL="")
    assert code == 0, output
    for told in ("did you mean 2024.1?", "did you mean sklearn?", "there are 24", " 23 custom"):
        assert told in output
    text = (tmp_path / "wine" / "pyproject.toml").read_text()
    assert 'description = "Tells {{ wines }} apart."' in text
    assert 'framework = "sklearn"\nrelease = "2024.1"' in text
    assert "authors" not in text


@pytest.mark.parametrize("name", ["a'b", "🚀", "class", "../x", "a{{b}}", "{% raw %}", "con", "x" * 70, "x.."])
@pytest.mark.parametrize("door", DOORS[:2])
def test_a_name_that_is_refused_leaves_nothing(door: str, name: str, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "here"
    folder.mkdir(parents=True)
    (tmp_path / "config.toml").write_text("[template.plugins.wallaroo]\n")
    code, output = run(*door.split(), name, cwd=folder)
    assert (code, output.startswith("error: "), "    fix: " in output) == (2, True, True), output
    assert list(tmp_path.rglob("pyproject.toml")) == []
    assert list(folder.iterdir()) == []


def test_hatch_and_what_it_says_of_wrong_wishes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[template.plugins.wallaroo]\nframwork = "onnx"\nrelease = 2024\n')
    code, output = run("hatch", "new", "roses")
    assert code == 2
    assert "has no option framwork" in output
    assert "did you mean framework?" in output
    assert "release of [template.plugins.wallaroo] must be a string" in output
    (tmp_path / "config.toml").write_text(
        # Without a license: the default template would download its text.
        "[template.licenses]\ndefault = []\n[template.plugins.wallaroo]\n[template.plugins.default]\n"
    )
    code, output = run("hatch", "new", "roses", HATCH_WALLAROO_FRAMEWORK="onnx")
    assert code == 2
    assert "another template of [template.plugins] writes README.md, pyproject.toml too" in output
    assert not (tmp_path / "roses").exists()


def test_a_folder_with_a_project_gets_its_pyproject_only(run: Run, tmp_path: Path) -> None:
    project = tmp_path / "old"
    project.mkdir()
    (project / "model.pkl").write_bytes(b"mine")
    (tmp_path / "config.toml").write_text("[template.plugins.wallaroo]\n")
    code, output = run("hatch", "new", "--init", "class", cwd=project)
    assert code != 0  # nobody answers the question for a description
    assert [path.name for path in project.iterdir()] == ["model.pkl"]
    code, output = run("sh", "-c", "echo Sorts. | hatch new --init class", cwd=project)
    assert code == 0, output
    assert "hatch-wallaroo init adds [tool.wallaroo]" in output
    assert {path.name for path in project.iterdir()} == {"model.pkl", "pyproject.toml"}
    assert 'name = "class"' in (project / "pyproject.toml").read_text()
