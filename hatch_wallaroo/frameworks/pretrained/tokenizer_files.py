"""What has to lie beside the weights: a tokenizer, an image processor, a feature extractor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.sources import Entry, lfs_pointer
from hatch_wallaroo.findings import Finding, Level, Place, rule
from hatch_wallaroo.frameworks.pretrained.folder import UNREADABLE_JSON, read_json, text_of

NO_TOKENIZER = rule(
    "WLR409",
    "the model's tokenizer is not there",
    why="The pipeline loads it from the model's folder. On the machine where the model was made it may have come from "
    "a cache; the platform has none.",
    source="transformers, AutoTokenizer.from_pretrained; the vocab_files_names of its tokenizers",
)
NO_PROCESSOR = rule(
    "WLR410",
    "the model's image processor or feature extractor is not there",
    why="The pipeline loads it from preprocessor_config.json in the model's folder, to scale pictures or sound as in "
    "training.",
    source="transformers, AutoImageProcessor and AutoFeatureExtractor.from_pretrained",
)

_WHOLE = (
    "tokenizer.json",
    "vocab.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
    "sentencepiece.model",
)
_ENDINGS = (".spm", ".tiktoken", ".bpe", ".codes", "spiece.model", "vocab.json", "vocab-src.json", ".model")
_WITHOUT_FILES = ("ByT5Tokenizer", "CanineTokenizer", "PerceiverTokenizer", "MgpstrTokenizer")
"""Tokenizers of bytes or characters: their config is all there is."""
_BYTE_PAIRS = ("GPT2", "Roberta", "Bart", "CLIP", "Longformer", "LED", "Deberta", "Blenderbot", "CTRL", "Codegen")
"""Slow tokenizers that need merges.txt beside vocab.json."""


def check_beside(
    spec: ModelSpec, wanted: tuple[str, ...], files: Mapping[str, Entry], config: Mapping[str, Any]
) -> list[Finding]:
    """All that is missing of what a task wants: `tokenizer`, `image-processor`, `feature-extractor`."""
    findings: list[Finding] = []
    for each in wanted:
        if each == "tokenizer":
            findings += check_tokenizer(files, config, spec.at("model"))
        else:
            findings += _processor(files, each, spec.at("model"))
    return findings


def check_tokenizer(files: Mapping[str, Entry], config: Mapping[str, Any], place: Place) -> Iterator[Finding]:
    """Whether one of the known forms is there, and whole."""
    settings: Mapping[str, Any] = {}
    if "tokenizer_config.json" in files:
        read, findings = read_json(files["tokenizer_config.json"])
        yield from findings
        if read is None:
            return
        settings = read
    called = text_of(settings, "tokenizer_class") or text_of(config, "tokenizer_class")
    save = "tokenizer.save_pretrained(folder)"
    if called in _WITHOUT_FILES:
        return
    if "tokenizer.json" in files:
        yield from _cut(files["tokenizer.json"])
    elif "vocab.json" in files and "merges.txt" not in files and called.startswith(_BYTE_PAIRS):
        yield NO_TOKENIZER.finding(
            f"vocab.json is there, but not merges.txt, which {called} needs too", fix=save, place=place
        )
    elif not any(name in files for name in _WHOLE) and not any(name.endswith(_ENDINGS) for name in files):
        only = " (tokenizer_config.json alone is only its settings)" if settings else ""
        yield NO_TOKENIZER.finding(
            f"the tokenizer is not there: no tokenizer.json, vocab.txt, vocab.json or *.model{only}",
            fix=f"save it beside the weights: {save}",
            place=place,
        )


def _cut(entry: Entry) -> Iterator[Finding]:
    """A large JSON file that ends in the middle; it is not parsed."""
    source = entry.source
    if lfs_pointer(source):
        return
    with source.open() as stream:
        head = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
        stream.seek(max(0, source.size - 64))
        tail = stream.read(64).rstrip()
    if head[:1] != b"{" or tail[-1:] != b"}":
        yield UNREADABLE_JSON.finding(
            f"{entry.name} is {'no JSON object' if head[:1] != b'{' else 'cut off'}",
            fix="copy or download the file again, or save the tokenizer again",
            place=Place(file=entry.name),
        )


def _processor(files: Mapping[str, Entry], kind: str, place: Place) -> Iterator[Finding]:
    what = kind.replace("-", " ")
    if "preprocessor_config.json" in files:
        yield from read_json(files["preprocessor_config.json"])[1]
        return
    newer = "processor_config.json" in files
    yield NO_PROCESSOR.finding(
        f"the {what} is not there: "
        + ("processor_config.json is the form of newer transformers only" if newer else "no preprocessor_config.json"),
        fix=f"save it beside the weights: {'processor' if newer else what.replace(' ', '_')}.save_pretrained(folder)",
        place=place,
        level=Level.WARNING if newer else None,
    )
