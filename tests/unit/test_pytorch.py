"""PyTorch files: TorchScript told from everything else, and its signature read."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatch_wallaroo.formats.pickle_machine import PickleError
from hatch_wallaroo.formats.torch_archive import (
    ArchiveError,
    ForwardParameter,
    ForwardSignature,
    forward_of,
    operators_in,
    read_torch_file,
)
from support.inspecting import fields, look
from support.peers import run_in

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "fixtures" / "torch"
SHARED = ROOT.parent / "shared" / "models"
ONE = fields(input="float32*4")
NEWER = {"WLR383": "warning"}


def look_at(tmp_path, data, name="model.pt", **options):
    (tmp_path / name).write_bytes(data)
    return look(tmp_path / name, "pytorch", **options)


@pytest.mark.parametrize("name", ["script", "trace", "frozen"])
def test_torchscript(name):
    seen = look(
        FOLDER / f"{name}.pt", "pytorch", release="2025.2", input_schema=ONE, output_schema=fields(output="float32*1")
    )
    assert seen.findings == ()
    assert seen.facts["class"] == "Net"
    assert seen.facts["inputs"] == [{"name": "x", "type": "Tensor", "optional": False}]
    assert seen.facts["returns"] == "Tensor"
    assert seen.facts["traced"] == (name == "trace")
    assert seen.facts["archive_version"] == 3
    assert (seen.layout.form, seen.layout.suffix) == ("file", ".pt")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public models are not here")
def test_public_model():
    seen = look(
        SHARED / "pytorch_single_io_model.pt",
        "pytorch",
        input_schema=fields(input="float32*10"),
        output_schema=fields(output="float32*1"),
    )
    assert seen.findings == ()
    assert seen.facts["class"] == "SingleIOModel"
    assert seen.facts["inputs"] == [{"name": "x", "type": "Tensor", "optional": False}]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("state.pt", "is a state dict (first.weight, first.bias, second.weight, …)"),
        ("state-legacy.pt", "is a state dict (first.weight"),
        ("checkpoint.pth", "is a checkpoint (model_state_dict, epoch)"),
        ("eager.pt", "is a pickled module (__main__.Net)"),
        ("eager-legacy.pt", "is a pickled module (__main__.Net)"),
        ("tensor.pt", "holds a tensor"),
        ("export.pt2", "torch.export archive"),
    ],
)
def test_what_is_refused_and_how_to_script_it(name, words):
    seen = look(FOLDER / name, "pytorch", input_schema=ONE)
    assert seen.said == {"WLR380": "error"}
    assert words in seen.message("WLR380")
    assert "torch.jit.script(model.eval()).save(" in seen.message("WLR380")


OTHERS = {
    "model.pt": (b"", "an empty file"),
    "model.safetensors": (struct.pack("<Q", 2) + b"{}" + bytes(8), "safetensors"),
    "model.onnx": (b"\x08\x07\x12\x07pytorch", "an ONNX model"),
    "model.h5": (b"\x89HDF\r\n\x1a\n" + bytes(60), "an HDF5 file"),
    "model.pkl": (b"\x80\x04K\x01.", "a Python pickle"),
    "page.pt": (b"<!doctype html>", "an HTML page"),
    "garbage.pt": (b"\x01\x02\x03", "is not a TorchScript archive"),
    "broken.pkl": (b"\x80\x04\xff", "nor anything that PyTorch writes"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_files(tmp_path, name):
    data, words = OTHERS[name]
    seen = look_at(tmp_path, data, name)
    assert seen.said == {"WLR380": "error"}
    assert words in seen.message("WLR380")


def test_a_zip_of_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("folder/saved_model.pb", b"x")
    assert look(tmp_path / "model.pt", "pytorch").said == {"WLR380": "error"}


def test_old_torchscript_and_mobile(tmp_path):
    with zipfile.ZipFile(tmp_path / "old.pt", "w") as archive:
        archive.writestr("m/model.json", b"{}")
        archive.writestr("m/code/m.py", b"")
    assert "before 1.4" in look(tmp_path / "old.pt", "pytorch").message("WLR380")
    with zipfile.ZipFile(tmp_path / "mobile.pt", "w") as archive:
        archive.writestr("m/data.pkl", b"\x80\x02N.")
        archive.writestr("m/constants.pkl", b"\x80\x02).")
        archive.writestr("m/bytecode.pkl", b"\x80\x02).")
    assert "lite interpreter" in look(tmp_path / "mobile.pt", "pytorch").message("WLR380")


def test_another_suffix_becomes_pt(tmp_path):
    seen = look_at(tmp_path, (FOLDER / "script.pt").read_bytes(), "model.bin", release="2025.2")
    assert seen.said == {"WLR389": "note"}
    assert seen.layout.entries[0].path == "model.pt"
    assert look_at(tmp_path, (FOLDER / "script.pt").read_bytes(), "model.pth", release="2025.2").findings == ()


def test_an_lfs_pointer_is_left_to_others(tmp_path):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12345\n"
    assert look_at(tmp_path, pointer).findings == ()


# Versions


def changed(members: dict[str, bytes]) -> bytes:
    """The scripted model with members replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(FOLDER / "script.pt") as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            inner = info.filename.partition("/")[2]
            new.writestr(info.filename, members.get(inner, old.read(info)))
    return out.getvalue()


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (b"3\n", NEWER),
        (b"10\n", NEWER),
        (b"11\n", {**NEWER, "WLR382": "error"}),
        (b"nonsense", NEWER),
        (b"9" * 5000, NEWER),
    ],
)
def test_archive_versions(tmp_path, version, said):
    assert look_at(tmp_path, changed({"version": version})).said == said


def test_a_newer_torch_is_a_warning_where_the_platforms_is_known():
    assert look(FOLDER / "script.pt", "pytorch").said == NEWER
    assert "1.13.1" in look(FOLDER / "script.pt", "pytorch").message("WLR383")
    assert look(FOLDER / "script.pt", "pytorch", release="2024.1").said == {}


def test_operators_that_came_later():
    assert look(FOLDER / "attention.pt", "pytorch").said == {"WLR384": "warning"}
    assert look(FOLDER / "attention.pt", "pytorch", release="2024.1").said == {}


# Signature and schemas

TWO = fields(input_1="float32*4", input_2="float32*4")


@pytest.mark.parametrize(
    ("name", "inputs", "said"),
    [
        ("script", ONE, {}),
        ("script", TWO, {"WLR386": "error"}),
        ("script", fields(x="float32*4"), {"WLR387": "warning"}),
        ("script", fields(input="float64*4"), {"WLR388": "warning"}),
        ("double", fields(input="float64*4"), {}),
        ("two", TWO, {}),
        ("two", ONE, {"WLR386": "error"}),
        ("two", fields(left="float32*4", right="float32*4"), {"WLR387": "warning"}),
        ("two", fields(input_1="float32*4", input_2="float32*4", input_3="float32"), {}),
        ("maybe", ONE, {}),
        ("maybe", TWO, {}),
        ("listed", TWO, {"WLR386": "warning"}),
        ("no-forward", ONE, {"WLR385": "warning"}),
    ],
)
def test_inputs(name, inputs, said):
    assert look(FOLDER / f"{name}.pt", "pytorch", release="2025.2", input_schema=inputs).said == said


def test_outputs():
    named = fields(score="float32*1")
    assert look(FOLDER / "script.pt", "pytorch", release="2025.2", output_schema=named).said == {"WLR387": "warning"}
    several = fields(output_1="float32*1", output_2="float32*1")
    assert look(FOLDER / "script.pt", "pytorch", release="2025.2", output_schema=several).said == {}


SOURCE = """class Other(Module):
  def forward(self: __torch__.Other,
    z: Tensor) -> Tensor:
    return z
class Net(Module):
  __parameters__ = []
  training : bool
  def forward(self: __torch__.Net,
    x: Tensor,
    y: Optional[Tensor]=None,
    pair: Tuple[int, float]=(1, 2.),
    text: str="a:b)",
    device: Device=torch.device("cpu"),
    *,
    most: float=inf) -> Tuple[Tensor, Dict[str, List[Tensor]]]:
    return torch.relu(x)
  def backward(self: __torch__.Net) -> Tensor:
    return ops.torchvision.nms(x)
class Last(Module):
  training : bool
"""  # fmt: skip


def test_signatures():
    found = forward_of(SOURCE, "Net")
    assert found.parameters[0] == ForwardParameter("x", "Tensor", optional=False)
    assert [each.name for each in found.parameters] == ["x", "y", "pair", "text", "device", "most"]
    assert [each.name for each in found.required] == ["x"]
    assert found.returns == "Tuple[Tensor, Dict[str, List[Tensor]]]"
    assert forward_of(SOURCE, "Other") == ForwardSignature((ForwardParameter("z", "Tensor", optional=False),), "Tensor")
    assert forward_of(SOURCE, "Last") is None
    assert forward_of(SOURCE, "Missing") is None
    assert operators_in(SOURCE) == {"relu", "device", "torchvision.nms"}


@pytest.mark.parametrize(
    "source",
    [
        "class Net(Module):\n  def forward(",
        "class Net(Module):\n  def forward(" + "(" * 30_000,
        "class Net(Module):\n  def forward(self, x: " + "[" * 15_000 + ") -> Tensor:\n",
        "class Net(Module):\n  def forward() -> Tensor:\n",
        "class Net(Module):\n  def forward(self, \x00) -> Tensor:\n",
    ],
)
def test_sources_that_are_none(source):
    assert forward_of(source, "Net") is None


# Broken and hostile


@pytest.mark.parametrize("name", ["script.pt", "state-legacy.pt", "export.pt2"])
def test_cut_anywhere(name):
    data = (FOLDER / name).read_bytes()
    for length in range(0, len(data) - 1, 37):
        try:
            found = read_torch_file(io.BytesIO(data[:length]), length)
        except (ArchiveError, PickleError):
            continue
        assert found.kind in {"other", "legacy"}


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 5000), st.binary(min_size=1, max_size=8))
def test_changed_anywhere(at, patch):
    data = bytearray((FOLDER / "script.pt").read_bytes())
    data[at : at + len(patch)] = patch
    with contextlib.suppress(ArchiveError, PickleError):
        read_torch_file(io.BytesIO(data), len(data))


def test_broken_is_said(tmp_path):
    data = (FOLDER / "script.pt").read_bytes()
    assert look_at(tmp_path, data[:-100]).said == {"WLR381": "error"}
    assert "cut short" in look_at(tmp_path, data[:-100]).message("WLR381")
    assert look_at(tmp_path, changed({"data.pkl": b"\x80\x02c__torch__\n"})).said == {"WLR381": "error"}


def test_a_bomb_is_read_to_a_limit(tmp_path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/version", b"3" * (8 << 20))
        archive.writestr("m/constants.pkl", b"\x80\x02).")
        archive.writestr("m/code/__torch__.py", b"class Net(Module):\n" + b" " * (32 << 20))
        archive.writestr("m/data.pkl", b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + bytes(128 << 20))
    tracemalloc.start()
    began = time.monotonic()
    look_at(tmp_path, out.getvalue())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 << 20
    assert time.monotonic() - began < 20


def test_a_directory_of_gigabytes_is_not_read():
    end = b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 65535, 65535, 1 << 30, 100, 0)
    data = b"PK\x03\x04" + bytes(100) + end
    with pytest.raises(ArchiveError, match="more files"):
        read_torch_file(io.BytesIO(data), len(data))


MAKE = (FOLDER / "make.py").read_text()
DESCRIBE = """
import json, pathlib, sys, torch
report = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.p*")):
    try:
        module = torch.jit.load(str(path))
    except Exception:
        report[path.name] = None
        continue
    arguments = module.forward.schema.arguments[1:] if hasattr(module, "forward") and path.stem != "no-forward" else []
    report[path.name] = [[a.name, str(a.type), a.has_default_value()] for a in arguments]
print(json.dumps(report))
"""


@pytest.mark.peer
def test_against_the_real_library(tmp_path):
    """What torch.jit.load loads is what is taken; the arguments of forward are what it says they are."""
    (tmp_path / "make.py").write_text(MAKE)
    made = run_in("torch", [str(tmp_path / "make.py"), str(tmp_path / "made")])
    assert made.returncode == 0, made.stderr
    described = run_in("torch", ["-W", "ignore", "-c", DESCRIBE, str(tmp_path / "made")])
    assert described.returncode == 0, described.stderr
    report = json.loads(described.stdout.splitlines()[-1])
    assert len(report) == len(list((tmp_path / "made").iterdir()))
    for name, arguments in report.items():
        seen = look(tmp_path / "made" / name, "pytorch", release="2025.2")
        assert (arguments is not None) == (seen.facts.get("format") == "TorchScript"), name
        if arguments:
            told = [[each["name"], each["type"], each["optional"]] for each in seen.facts["inputs"]]
            assert told == arguments, name
