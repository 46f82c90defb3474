"""A zip: a model of PyTorch, TensorFlow, Keras or Hugging Face, or an archive that was made for Wallaroo before."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace

from hatch_wallaroo.discover.candidates import AdoptionContext, Candidate, judged
from hatch_wallaroo.discover.walk import SUFFIXES, RepositoryFile
from hatch_wallaroo.files.zip_reading import read_directory
from hatch_wallaroo.formats.pickle_machine import PickleError
from hatch_wallaroo.formats.signatures import recognise
from hatch_wallaroo.formats.torch_archive import ArchiveError, TorchFile, read_torch_file
from hatch_wallaroo.frameworks.pretrained.folder import MARKERS

_TORCH = {
    "mobile": "a TorchScript archive for mobile devices",
    "export": "a torch.export archive",
    "saved": "a file saved by torch.save",
    "old-torchscript": "a TorchScript archive of a very old PyTorch",
}
_KERAS = {"config.json", "metadata.json", "model.weights.h5"}
_STEP = re.compile(rb"^(?:async )?def (process_data)\(", re.MULTILINE)
_BUILDER = re.compile(rb"^class \w+\([^)]*\bInferenceBuilder\b", re.MULTILINE)
_LARGEST_CODE = 1 << 20
_MOST_CODE = 64
_BROKEN = (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError, ValueError)


def zipped(seen: RepositoryFile, head: bytes, context: AdoptionContext) -> Candidate | None:
    """What a zip holds, by its directory and small members; None for one that is no model."""
    if recognise(head) != "a zip archive":
        return None
    try:
        with seen.path.open("rb") as stream:
            file = read_torch_file(stream, seen.size)
    except (ArchiveError, PickleError) as error:
        if seen.suffix not in SUFFIXES:
            return None
        advice = "copy it again, or save the model anew"
        return Candidate(seen.label, f"a zip that cannot be read: {error}", advice=advice)
    if file.kind != "other":
        return _by_torch(seen, file, context)
    try:
        infos = read_directory(seen.path)
        return _by_names(seen, [each.filename for each in infos], context) or _of_code(seen, infos)
    except _BROKEN:
        return None


def _by_torch(seen: RepositoryFile, file: TorchFile, context: AdoptionContext) -> Candidate:
    whole = file.kind == "torchscript"
    what = "a TorchScript archive" if whole else _TORCH.get(file.kind, "a PyTorch file")
    found = judged(Candidate(seen.label, what, ("pytorch",), certain=whole), context)
    return found if found.certain else replace(found, frameworks=())


def _by_names(seen: RepositoryFile, names: Sequence[str], context: AdoptionContext) -> Candidate | None:
    lasts = {name.rpartition("/")[2] for name in names}
    if set(names) >= _KERAS:
        found = judged(Candidate(seen.label, "a Keras 3 model (.keras)", ("keras",), certain=True), context)
        return found if found.certain else replace(found, frameworks=())
    if "saved_model.pb" in lasts:
        return saved_model(seen.label, "a SavedModel in a zip", context)
    if lasts & set(MARKERS) and any(name.endswith((".safetensors", ".bin", ".h5")) for name in lasts):
        return Candidate(
            seen.label,
            "a Hugging Face model in a zip",
            advice="say for which task: --model with --framework hugging-face-…, or unpack it",
        )
    if "MANIFEST.json" in lasts and any(name.startswith("MAR-INF/") for name in names):
        advice = "unpack it: the TorchScript file in it is the model"
        return Candidate(seen.label, "an archive for TorchServe", advice=advice)
    return None


def saved_model(label: str, what: str, context: AdoptionContext) -> Candidate:
    """A SavedModel, folder or zip: for the framework that takes it, native TensorFlow first."""
    native = judged(Candidate(label, what, ("tensorflow",), certain=True), context)
    keras = judged(Candidate(label, what, ("keras",), certain=True), context)
    if native.certain and keras.certain and str(native.facts.get("object", "")).startswith("_tf_keras_"):
        why = "tensorflow runs natively and needs no schemas; keras would take it as well"
        return replace(native, frameworks=("tensorflow", "keras"), why=why)
    if keras.certain and not native.certain:
        return keras
    return native if native.certain else replace(native, frameworks=())


def _of_code(seen: RepositoryFile, infos: Sequence[zipfile.ZipInfo]) -> Candidate | None:
    """An archive of Python that somebody packed for Wallaroo by hand."""
    code = [each for each in infos if each.filename.endswith(".py") and each.filename.count("/") <= 1][:_MOST_CODE]
    with zipfile.ZipFile(seen.path) as archive:
        for info in code:
            with archive.open(info) as member:
                text = member.read(_LARGEST_CODE)
            if _BUILDER.search(text):
                advice = 'unpack it into the project; framework = "custom" packs it again, with byop.module'
                return Candidate(seen.label, f"an archive of inference code ({info.filename})", advice=advice)
            if _STEP.search(text):
                advice = 'unpack it into the project; framework = "python" packs it again'
                return Candidate(seen.label, f"an archive of a Python step ({info.filename})", advice=advice)
    return None
