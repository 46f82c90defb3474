"""Where it can stand what a new repository is to be, and which comes first."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hatch_wallaroo.scaffold.requested import (
    Requested,
    ScaffoldError,
    from_config,
    from_git,
    from_table,
    gathered,
    hatchs_config,
)
from hatch_wallaroo.scaffold.template_files import shipped_config


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No git configuration, no Hatch configuration and no variables but those of the test."""
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "HATCH_CONFIG", "HATCH_WALLAROO_FRAMEWORK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.chdir(tmp_path)


def config(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def test_the_environment_before_hatch_before_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = config(
        tmp_path,
        '[template]\nname = "Hatch"\n[template.plugins.wallaroo]\nframework = "onnx"\nrelease = "2024.1"\n',
    )
    (tmp_path / "gitconfig").write_text("[user]\nname = Git\nemail = git@example.com\n")
    found = gathered({"HATCH_CONFIG": str(path), "HATCH_WALLAROO_FRAMEWORK": "sklearn", "HATCH_WALLAROO_RELEASE": ""})
    assert found == Requested("sklearn", "2024.1", author="Hatch", email="git@example.com")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "variable@example.com")
    assert from_git() == Requested(author="Git", email="variable@example.com")


def test_what_hatch_fills_in_by_itself_is_requested_by_nobody(tmp_path: Path) -> None:
    text = '[template]\nname = "U.N. Owen"\nemail = "void@some.where"\n[template.licenses]\ndefault = ["MIT"]\n'
    assert from_config(config(tmp_path, text)) == Requested()
    text = '[template]\n[template.licenses]\ndefault = ["MIT", "Apache-2.0"]\n'
    assert from_config(config(tmp_path, text)) == Requested(license="Apache-2.0 OR MIT")
    assert from_config(config(tmp_path, '[template.plugins.wallaroo]\nlicense = "MIT"\n')) == Requested(license="MIT")


def test_all_that_is_wrong_in_the_table() -> None:
    with pytest.raises(ScaffoldError) as caught:
        from_table({"framwork": "onnx", "release": 2024.1, "zzz": "", "email": "x"})
    assert [problem.fix for problem in caught.value.problems] == [
        "did you mean framework?",
        'write release = "2024.1"',
        "it takes framework, release, description, author, email and license",
    ]


@pytest.mark.parametrize("text", ["[template", "name = 'x'\nname = 'y'"])
def test_a_configuration_that_is_no_toml_is_named(text: str, tmp_path: Path) -> None:
    path = config(tmp_path, text)
    with pytest.raises(ScaffoldError, match=r"config\.toml cannot be read"):
        from_config(path)


@pytest.mark.parametrize("text", ["template = 3\n", "[template]\nplugins = []\nlicenses = 'MIT'\nname = 3\n", ""])
def test_tables_of_another_kind_say_nothing(text: str, tmp_path: Path) -> None:
    assert from_config(config(tmp_path, text)) == Requested()
    assert from_config(tmp_path / "nowhere.toml") == Requested()


def test_the_configuration_is_where_hatch_has_it(tmp_path: Path) -> None:
    from hatch.config.user import ConfigFile

    assert hatchs_config({}) == Path(ConfigFile.get_default_location())
    assert hatchs_config({"HATCH_CONFIG": "/x/y.toml"}) == Path("/x/y.toml")
    assert hatchs_config({"HATCH_CONFIG": str(shipped_config())}) == hatchs_config({})


def test_no_git_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*arguments: object, **options: object) -> None:
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", absent)
    assert from_git() == Requested()
