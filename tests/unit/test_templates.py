"""The templates are found, and a missing value is an error."""

from __future__ import annotations

import jinja2
import pytest

from hatch_wallaroo import templates


def test_templates_are_found():
    assert (templates.folder("byop") / "inference.py.jinja").is_file()


def test_the_wheels_folder_comes_first(tmp_path, monkeypatch):
    """In a wheel they lie inside the package, in a checkout beside it."""
    package = tmp_path / "hatch_wallaroo"
    (package / "templates" / "byop").mkdir(parents=True)
    monkeypatch.setattr(templates, "__file__", str(package / "templates.py"))
    assert templates.folder("byop") == package / "templates" / "byop"
    (tmp_path / "templates" / "image").mkdir(parents=True)
    assert templates.folder("image") == tmp_path / "templates" / "image"


def test_templates_that_are_not_there():
    with pytest.raises(FileNotFoundError, match="no-such-kind"):
        templates.folder("no-such-kind")


def test_missing_values_are_errors():
    with pytest.raises(jinja2.UndefinedError):
        templates.render("byop", "inference.py.jinja", {})
