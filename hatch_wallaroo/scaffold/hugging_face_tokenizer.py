"""A tokenizer of letters, digits and punctuation: any English text in fewer than a hundred tokens.

All starter models share it. Its files are those of `save_pretrained`, which every version of transformers from 4.27
on reads without further libraries.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

PAD, UNKNOWN, BEGIN, END = "<pad>", "<unk>", "<s>", "</s>"
PUNCTUATION = ".,!?'\"-:;()/&%+*=@#$_"
SPEECH = (PAD, BEGIN, END, UNKNOWN, "|", "'", *string.ascii_uppercase)
"""The letters that a speech recognizer hears; `|` stands between words."""

FRAMES: Mapping[str, tuple[str, str]] = {
    "sentence": (f"{BEGIN} $A {END}", f"{BEGIN} $A {END} $B:1 {END}:1"),
    "end": (f"$A {END}", f"$A {END} $B {END}"),
    "begin": (f"{BEGIN} $A", f"{BEGIN} $A {BEGIN}:1 $B:1"),
}
"""How a text, and a pair of texts, is framed, in the words of `TemplateProcessing`."""

CHAT = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def vocabulary() -> list[str]:
    """All tokens in the order of their numbers. The end comes last: CLIP of 4.27 finds it as the highest number."""
    letters = string.ascii_lowercase + string.digits
    return [PAD, UNKNOWN, BEGIN, *letters, *(f"##{letter}" for letter in letters), *PUNCTUATION, END]


def tokenizer_files(*, frame: str, length: int, kinds: bool = False, chat: bool = False) -> dict[str, dict[str, Any]]:
    """The tokenizer's JSON files. `kinds`: the model learns which of two texts a token is of."""
    settings = tokenizer_settings(frame=frame, length=length, kinds=kinds, chat=chat)
    return {"tokenizer.json": _tokenizer(frame), "tokenizer_config.json": settings}


def tokenizer_settings(*, frame: str, length: int, kinds: bool = False, chat: bool = False) -> dict[str, Any]:
    """What tokenizer_config.json says. `chat`: the model is talked to, so that turns have a form."""
    both = {"cls_token": BEGIN, "sep_token": END} if frame == "sentence" else {}
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": length,
        "model_input_names": ["input_ids", *(["token_type_ids"] if kinds else []), "attention_mask"],
        "pad_token": PAD,
        "unk_token": UNKNOWN,
        "bos_token": BEGIN,
        "eos_token": END,
        **both,
        "clean_up_tokenization_spaces": False,
        **({"chat_template": CHAT} if chat else {}),
    }


def _tokenizer(frame: str) -> dict[str, Any]:
    numbers = {token: number for number, token in enumerate(vocabulary())}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_special(token, numbers[token]) for token in (PAD, UNKNOWN, BEGIN, END)],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": _frame(frame, numbers),
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": UNKNOWN,
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": numbers,
        },
    }


def _special(token: str, number: int) -> dict[str, Any]:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": number, "content": token, **flags, "special": True}


def _frame(frame: str, numbers: Mapping[str, int]) -> dict[str, Any] | None:
    if frame not in FRAMES:
        return None
    single, pair = FRAMES[frame]
    used = [token for token in (BEGIN, END) if token in single]
    return {
        "type": "TemplateProcessing",
        "single": _pieces(single),
        "pair": _pieces(pair),
        "special_tokens": {token: {"id": token, "ids": [numbers[token]], "tokens": [token]} for token in used},
    }


def _pieces(template: str) -> list[dict[str, Any]]:
    """`<s> $A </s>` as the JSON of the library."""
    made = []
    for piece in template.split():
        name, _, kind = piece.partition(":")
        sequence = name.startswith("$")
        made.append({"Sequence" if sequence else "SpecialToken": {"id": name.lstrip("$"), "type_id": int(kind or 0)}})
    return made
