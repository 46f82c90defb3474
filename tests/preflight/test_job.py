"""A bundle unpacked for its run: as the platform lays it out, and nothing outside its folder."""

from __future__ import annotations

import stat
import zipfile
from types import SimpleNamespace

import pytest

from hatch_wallaroo.preflight import job
from hatch_wallaroo.preflight.job import UnpackError, unpack


def subject(path, family="custom"):
    return SimpleNamespace(file=path, framework=SimpleNamespace(family=family))


def zipped(path, **members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_the_one_folder_of_a_zip_is_the_model(tmp_path):
    path = zipped(tmp_path / "m.zip", **{"m/main.py": "x = 1\n", "m/artifacts/w.bin": "w"})
    (tmp_path / "run").mkdir()
    model = unpack(subject(path), tmp_path / "run")
    assert model == tmp_path / "run" / "model" / "m"
    assert (model / "artifacts" / "w.bin").read_text() == "w"


def test_members_at_the_top_stay_there(tmp_path):
    path = zipped(tmp_path / "m.zip", **{"step.py": "", "b/c.py": ""})
    (tmp_path / "run").mkdir()
    assert sorted(each.name for each in unpack(subject(path), tmp_path / "run").iterdir()) == ["b", "step.py"]


def test_a_file_is_copied_under_its_name(tmp_path):
    path = tmp_path / "m-1.0.onnx"
    path.write_bytes(b"onnx")
    (tmp_path / "run").mkdir()
    assert unpack(subject(path), tmp_path / "run").read_bytes() == b"onnx"


@pytest.mark.parametrize(("name", "family"), [("m.torchscript", "pytorch"), ("m.pkl", "sklearn"), ("m.keras", "keras")])
def test_a_model_that_is_a_zip_in_itself_stays_one(tmp_path, name, family):
    path = zipped(tmp_path / name, **{"m/data.pkl": "x"})
    (tmp_path / "run").mkdir()
    model = unpack(subject(path, family), tmp_path / "run")
    assert (model.name, model.read_bytes()) == (name, path.read_bytes())


@pytest.mark.parametrize("name", ["../out.py", "/out.py", "a/../../out.py", "a\\..\\out.py"])
def test_nothing_is_written_outside(tmp_path, name):
    path = zipped(tmp_path / "m.zip", **{name: "", "m/x.py": ""})
    (tmp_path / "run").mkdir()
    with pytest.raises(UnpackError, match="leads out of its folder"):
        unpack(subject(path), tmp_path / "run")
    assert not (tmp_path / "out.py").exists()


def test_links_are_refused(tmp_path):
    path = tmp_path / "m.zip"
    link = zipfile.ZipInfo("m/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    (tmp_path / "run").mkdir()
    with pytest.raises(UnpackError, match="is a link"):
        unpack(subject(path), tmp_path / "run")


def test_what_unpacks_without_end_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(job, "LARGEST", 1000)
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/zeros", bytes(5000))
    (tmp_path / "run").mkdir()
    with pytest.raises(UnpackError, match="it unpacks to more than"):
        unpack(subject(path), tmp_path / "run")


def test_a_member_twice_is_refused(tmp_path):
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/x.py", "1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("m/x.py", "2")
    (tmp_path / "run").mkdir()
    with pytest.raises(UnpackError):
        unpack(subject(path), tmp_path / "run")


def test_a_broken_zip_is_told(tmp_path):
    path = zipped(tmp_path / "m.zip", **{"m/x.py": "x" * 100})
    data = bytearray(path.read_bytes())
    data[40:60] = bytes(20)
    path.write_bytes(bytes(data))
    (tmp_path / "run").mkdir()
    with pytest.raises(UnpackError, match="cannot be unpacked"):
        unpack(subject(path), tmp_path / "run")
