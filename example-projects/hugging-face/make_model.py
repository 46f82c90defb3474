"""Make models/reviews: a very small BERT that tells good reviews of a hotel from bad ones.

    python -m pip install torch transformers
    python make_model.py

It is trained here, in a few seconds, on the sentences below; nothing is downloaded.
"""

import random
from pathlib import Path

import torch
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

FOLDER = Path(__file__).parent / "models" / "reviews"
GOOD = ["clean", "friendly", "quiet", "lovely", "great", "comfortable", "warm", "helpful", "bright", "perfect"]
BAD = ["dirty", "rude", "noisy", "awful", "terrible", "broken", "cold", "useless", "dark", "tiny"]
THINGS = ["room", "staff", "bed", "view", "breakfast", "bathroom", "street", "kitchen", "lobby", "garden"]
PATTERNS = ["the {thing} was {word}", "{word} {thing}", "a very {word} {thing} , really", "we found the {thing} {word}"]


def sentences(seed: int, number: int) -> tuple[list[str], list[int]]:
    chosen = random.Random(seed)
    texts, labels = [], []
    for _ in range(number):
        label = chosen.randint(0, 1)
        word = chosen.choice(GOOD if label else BAD)
        texts.append(chosen.choice(PATTERNS).format(thing=chosen.choice(THINGS), word=word))
        labels.append(label)
    return texts, labels


def tokenizer() -> BertTokenizerFast:
    words = sorted({word for pattern in PATTERNS for word in pattern.split() if "{" not in word})
    letters = [chr(number) for number in range(ord("a"), ord("z") + 1)]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *THINGS, *GOOD, *BAD]
    vocabulary += [piece for letter in letters for piece in (letter, f"##{letter}") if piece not in vocabulary]
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    return BertTokenizerFast(vocab_file=str(FOLDER / "vocab.txt"), model_max_length=32)


def main() -> None:
    torch.manual_seed(7)
    words = tokenizer()
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        hidden_dropout_prob=0.0,
        id2label={0: "bad", 1: "good"},
        label2id={"bad": 0, "good": 1},
    )
    model = BertForSequenceClassification(config)
    texts, labels = sentences(1, 400)
    batch = words(texts, padding=True, return_tensors="pt")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        model(**batch, labels=torch.tensor(labels)).loss.backward()
        optimizer.step()
    model.eval()
    texts, labels = sentences(2, 200)
    guessed = model(**words(texts, padding=True, return_tensors="pt")).logits.argmax(dim=1).tolist()
    print(f"right on new sentences: {sum(a == b for a, b in zip(guessed, labels, strict=True))} of {len(labels)}")
    model.save_pretrained(FOLDER)
    words.save_pretrained(FOLDER)


if __name__ == "__main__":
    main()
