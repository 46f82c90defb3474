"""The record beside a bundle, and the question whether a bundle has passed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hatch_wallaroo.preflight import rules
from hatch_wallaroo.preflight.subject import Subject
from hatch_wallaroo.preflight.verdict import Verdict, document, has_passed, keep, record_path
from hatch_wallaroo.releases.load import resolve


def subject(file, sha256="ab" * 32):
    release = resolve("2026.1")
    return Subject("m", "1.0", file, sha256, release, release.frameworks["custom"], None, (), "x86_64", None, None)


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("m-1.0.0.zip", "m-1.0.0.preflight.json"),
        ("m-1.0.0.onnx", "m-1.0.0.preflight.json"),
        ("m-1.0.0.wallaroo.json", "m-1.0.0.preflight.json"),
        ("m", "m.preflight.json"),
    ],
)
def test_the_record_lies_beside_the_bundle(name, record):
    assert record_path(Path("dist") / name) == Path("dist") / record


def test_words_of_a_verdict(tmp_path):
    one = subject(tmp_path / "m.zip")
    warning = rules.MISSING.finding("x")
    error = rules.NOT_LOADED.finding("x")
    assert Verdict(one, ()).word == "passed"
    assert Verdict(one, (warning,)).word == "passed"
    assert Verdict(one, (error,)).word == "failed"
    assert Verdict(one, (), ran=False).word == "not run"
    assert not Verdict(one, (), ran=False).passed


def test_a_verdict_counts_for_its_digest_alone(tmp_path):
    bundle = tmp_path / "m-1.0.zip"
    assert has_passed(bundle, "ab" * 32) == "has no verdict of a preflight"
    path = keep(Verdict(subject(bundle), ()))
    assert has_passed(bundle, "ab" * 32) is None
    assert has_passed(bundle, "cd" * 32) == "was built anew after its preflight"
    keep(Verdict(subject(bundle), (rules.NOT_LOADED.finding("x"),)))
    assert has_passed(bundle, "ab" * 32) == "failed its preflight"
    keep(Verdict(subject(bundle), (), ran=False))
    assert has_passed(bundle, "ab" * 32) == "was not run"
    path.write_text("{")
    assert "cannot be read" in has_passed(bundle, "ab" * 32)
    path.write_text(json.dumps({"file": None}))
    assert has_passed(bundle, "ab" * 32) is not None


def test_the_document_is_json(tmp_path):
    made = Verdict(subject(tmp_path / "m.zip"), (rules.NULLS.finding("x"),), observed={"y": "float64"})
    told = json.loads(json.dumps(document(made)))
    assert told["verdict"] == "passed"
    assert told["findings"][0]["code"] == "WLR726"
    assert told["file"]["sha256"] == "ab" * 32
    assert str(tmp_path) not in json.dumps(told)
