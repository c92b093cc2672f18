"""Small checkpoints with random weights, and tokenizers of the words of a few sentences: what the tests import, without a network."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer, ByteLevel
from torch import nn
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertTokenizer,
    DistilBertConfig,
    DistilBertTokenizer,
    PreTrainedConfig,
    RobertaConfig,
    RobertaTokenizer,
)
from transformers.utils.logging import disable_progress_bar

disable_progress_bar()

WORDS = (
    "I love this product and would buy it again",
    "Terrible quality, a waste of money; it broke after two days!",
    "The meeting is on Tuesday at half past ten (room 4.2)",
    "not bad at all, I'd even say it's really good",
    "Why does nobody answer? I've been waiting for hours...",
    "the film has no plot, no wit and no end",
    "delivery was quick but the box was damaged",
    "naïve café, straße, smörgåsbord",
    "great 👍 awful 😡 ❤️ 你好, мир",
    "see https://example.com/shop?id=7 #sale @friend",
)
TEXTS = (
    *WORDS,
    "I love it",
    "love",
    "LOVE!!!",
    "  spaces   before, between and after  ",
    "tabs\tand\u00a0other spaces\u2003too",
    "unknownwordsarecutintopieces antidisestablishmentarianism",
    "Δελτίο 中文字符 한국어 العربية",
    "e\u0301 as two code points, \u00e9 as one",
    "👩‍👩‍👧 🏳️‍🌈 👍🏽 joined emoji",
    "1,000.50 € 50% -3 +4 1/2",
    "don't can't won't I'm you're he'll we've she'd 's",
    "\u201cquoted\u201d \u2018text\u2019 \u2014 with dashes \u2013 and \u2026",
    "<s> </s> <pad> [CLS] [SEP] [MASK] <mask>",
    "?",
    "a",
    "A long text. " * 12,
)
LONGEST = 128
"""Tokens that every shape reads, special ones included."""
_SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
# Such wide weights that texts differ by much more than the tests allow for.
_WIDE = {"initializer_range": 0.4}


def _config(kind: str, vocabulary: int) -> PreTrainedConfig:
    if kind == "distilbert":
        small = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64}
        return DistilBertConfig(vocab_size=vocabulary, max_position_embeddings=LONGEST, **small, **_WIDE)
    if kind == "bert":
        return BertConfig(vocab_size=vocabulary, max_position_embeddings=LONGEST, **_SMALL, **_WIDE)
    # The positions of RoBERTa start after that of the padding, which is 1.
    return RobertaConfig(vocab_size=vocabulary, max_position_embeddings=LONGEST + 2, **_SMALL, **_WIDE)


def _tokenizer(kind: str):
    """Of a vocabulary that is the same each time: the libraries' trainers choose among pieces that are equally frequent as it comes."""
    if kind == "roberta":
        merges = _merges()
        letters = sorted(ByteLevel.alphabet())
        pieces = dict.fromkeys(["<s>", "<pad>", "</s>", "<unk>", "<mask>", *letters, *map("".join, merges)])
        return RobertaTokenizer(vocab=_numbered(pieces), merges=merges)
    words = [word for text in WORDS for word, _ in BertPreTokenizer().pre_tokenize_str(BertNormalizer().normalize_str(text))]
    letters = sorted({letter for word in words for letter in word})
    endings = ["##ing", "##ed", "##are", "##ful", "##er"]
    pieces = dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters), *endings, *words])
    return (DistilBertTokenizer if kind == "distilbert" else BertTokenizer)(vocab=_numbered(pieces), do_lower_case=True)


def _merges() -> list[tuple[str, str]]:
    """Some endings, then each word letter by letter."""
    endings = [("e", "d"), ("i", "n"), ("in", "g"), ("u", "t")]
    words = [word for text in WORDS for word, _ in ByteLevel(add_prefix_space=False).pre_tokenize_str(text)]
    return list(dict.fromkeys([*endings, *((word[:end], word[end]) for word in words for end in range(1, len(word)))]))


def _numbered(pieces: Iterable[str]) -> dict[str, int]:
    return {piece: number for number, piece in enumerate(pieces)}


def make_checkpoint(folder: Path, kind: str, labels: list[str] | int, seed: int = 3, **config_fields) -> Path:
    """Writes a fine-tuned model's files of that kind (distilbert, bert, roberta); `labels` are its words, or how many there are."""
    tokenizer = _tokenizer(kind)
    config = _config(kind, len(tokenizer))
    if isinstance(labels, int):
        config.num_labels = labels
    else:
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: place for place, label in enumerate(labels)}
    for name, value in config_fields.items():
        setattr(config, name, value)
    torch.manual_seed(seed)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def reference(folder: Path) -> tuple[nn.Module, object]:
    """The model and the tokenizer as transformers loads them."""
    return AutoModelForSequenceClassification.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)


def reference_logits(folder: Path, texts: tuple[str, ...]) -> torch.Tensor:
    """Of the model's own classes, shape [texts, classes]; one text at a time."""
    model, tokenizer = reference(folder)
    with torch.inference_mode():
        found = [model(**tokenizer(text, return_tensors="pt", truncation=True, max_length=LONGEST)).logits for text in texts]
    return torch.cat(found)
