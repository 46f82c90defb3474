"""The rules about PyTorch models."""

from __future__ import annotations

from hatch_wallaroo.findings import Level, rule

NOT_TORCHSCRIPT = rule(
    "WLR380",
    "not a TorchScript archive",
    why="The platform loads the model without your code, so the code must be in the file, as TorchScript has it.",
    source="Upload guide, PyTorch: Supported File Types, pt or pth in TorchScript format",
)
BROKEN = rule(
    "WLR381",
    "a PyTorch archive that cannot be read",
    why="A file that was cut short or changed uploads well and fails when the platform loads it.",
    source="PyTorch: PytorchStreamReader failed reading zip archive",
)
ARCHIVE_VERSION = rule(
    "WLR382",
    "an archive format newer than PyTorch reads",
    why="PyTorch refuses archives of a format that it does not know.",
    source="PyTorch caffe2/serialize/versions.h: kMaxSupportedFileFormatVersion, 10 since 1.11, still in 2.13",
)
NEWER = rule(
    "WLR383",
    "saved by a newer PyTorch than the platform runs",
    why="TorchScript may name operators, or arguments of operators, that the older version does not have.",
    source="Upload guide, PyTorch: Supported Libraries; PyTorch's notes on serialization: byteorder, since 2.1",
    level=Level.WARNING,
)
OPERATOR = rule(
    "WLR384",
    "an operator that the platform's PyTorch does not have",
    why="Loading TorchScript resolves all its operators; one that is unknown ends it (Unknown builtin op).",
    source="PyTorch 2.0 release notes: scaled_dot_product_attention",
    level=Level.WARNING,
)
NO_FORWARD = rule(
    "WLR385",
    "no forward was found",
    why="The platform calls the model, which is its forward.",
    source="TorchScript: ScriptModule.forward; found by reading code/ in the archive",
    level=Level.WARNING,
)
SIGNATURE = rule(
    "WLR386",
    "another number of inputs than forward takes",
    why="Each field of the input schema becomes one argument of forward.",
    source="Upload guide, PyTorch: several inputs allowed; forward in the archive's code/",
)
NAMES = rule(
    "WLR387",
    "fields that the PyTorch runtime does not know",
    why="The runtime passes fields to forward by number: one field is input, several are input_1, input_2 and so on; "
    "outputs likewise.",
    source="mac 2023.2.1 to 2026.1.3: AscendingKeysValidator; the vendor's PyTorch tutorials",
    level=Level.WARNING,
)
PRECISION = rule(
    "WLR388",
    "float64 inputs for float32 weights",
    why="PyTorch multiplies tensors of one dtype only; the runtime expects float32.",
    source="mac 2023.2.1: in the case of TorchInference numpy array(s) should be of type float32",
    level=Level.WARNING,
)
SUFFIX = rule(
    "WLR389",
    "the bundle is named .pt",
    why="The platform takes .pt and .pth.",
    source="Upload guide, PyTorch: Supported File Types",
    level=Level.NOTE,
)
