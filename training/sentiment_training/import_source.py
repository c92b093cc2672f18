"""Loads the model and the tokenizer to import, from a folder or from the hub; says in one line what is amiss with them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedConfig

LONGEST = 512
"""Tokens: a longer row takes the place of many in a batch, and long texts are read in windows."""
ENOUGH_TOKENS = 8
"""Different tokens that PROBES have in any vocabulary that is one."""

PROBES = (
    "I love this product!",
    "Terrible quality, waste of money",
    "The meeting is on Tuesday.",
    "not bad at all, I would even say good",
    "WHY does it ALWAYS break after 2 days???",
    "Élève naïve café, straße",
    "ok",
    "我喜欢这个, 很好",
    "great 👍 thanks 😡",
    "see https://example.com/a?b=1 @someone #topic",
    "a\tb\nc   d",
)
"""Texts by which an import is checked."""


@dataclass(frozen=True)
class Preset:
    """A well-known base model in a form fine-tuned for sentiment."""

    hub_name: str
    tier: str
    max_length: int
    """Tokens, special ones included."""
    labels: str | None = None


PRESETS = {
    "distilbert-base-uncased": Preset("distilbert/distilbert-base-uncased-finetuned-sst-2-english", "fast", 128),
    "bert-base-uncased": Preset("textattack/bert-base-uncased-SST-2", "balanced", 512, labels="negative,positive"),
    "roberta-large": Preset("siebert/sentiment-roberta-large-english", "accurate", 512),
}


def first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


@dataclass(frozen=True)
class Source:
    """A folder, or a name on the hub. Every method raises SystemExit, in one line, with what to do."""

    name: str

    @staticmethod
    def of(name: str) -> Source:
        """A preset's name stands for its model on the hub, unless there is a folder of that name."""
        preset = PRESETS.get(name)
        return Source(preset.hub_name if preset and not Path(name).is_dir() else name)

    @property
    def is_folder(self) -> bool:
        return Path(self.name).is_dir()

    @property
    def title(self) -> str:
        """As a card cites it: of a folder its own name, as paths mean nothing elsewhere."""
        return Path(self.name).resolve().name if self.is_folder else self.name

    def _failed(self, what: str, error: Exception) -> SystemExit:
        if self.is_folder:
            return SystemExit(f"the {what} in {self.name} cannot be loaded ({first_line(error)}): mend the folder, or take another model")
        return SystemExit(
            f"{self.name} is no folder here, and the hub does not give its {what} ({first_line(error)}): check the name and the network, "
            f"or run `hf download {self.name} --local-dir DIR` where there is one, and give DIR as the name"
        )

    def config(self) -> PreTrainedConfig:
        if self.is_folder and not (Path(self.name) / "config.json").is_file():
            raise SystemExit(f"{self.name} has no config.json: name a folder that save_pretrained or `hf download` has written")
        try:
            return AutoConfig.from_pretrained(self.name, local_files_only=self.is_folder)
        except Exception as error:  # What a stranger's file or a hub makes the library raise is of any kind.
            raise self._failed("config.json", error) from error

    def tokenizer(self) -> tuple[Tokenizer, int]:
        """The tokenizer without padding and truncation, and how many tokens it says that the model reads."""
        # Where there are no files the library makes an empty vocabulary, and says nothing.
        if self.is_folder and not any(file for kind in ("tokenizer.json", "vocab.*", "*.model") for file in Path(self.name).glob(kind)):
            raise SystemExit(f"{self.name} has no tokenizer (tokenizer.json, or vocab.*): put the files of the tokenizer it was trained with there")
        try:
            found = AutoTokenizer.from_pretrained(self.name, local_files_only=self.is_folder)
        except Exception as error:
            raise self._failed("tokenizer", error) from error
        if not found.is_fast:
            kind = type(found).__name__
            raise SystemExit(f"the tokenizer of {self.name} ({kind}) exists in Python only: take a model whose tokenizer has a tokenizer.json")
        tokenizer = Tokenizer.from_str(found.backend_tokenizer.to_str())
        tokenizer.no_padding()
        tokenizer.no_truncation()
        tokens = {number for text in PROBES for number in tokenizer.encode(text, add_special_tokens=False).ids}
        if len(tokens) < ENOUGH_TOKENS:
            raise SystemExit(f"the tokenizer of {self.name} knows no words: put the files of the tokenizer it was trained with there")
        self._compare_with_file(tokenizer)
        return tokenizer, found.model_max_length

    def _compare_with_file(self, tokenizer: Tokenizer) -> None:
        """For some classes the library takes only the vocabulary of a tokenizer.json, and its own rules for the rest."""
        path = Path(self.name) / "tokenizer.json"
        if not path.is_file():
            return
        by_file = Tokenizer.from_file(str(path))
        by_file.no_padding()
        by_file.no_truncation()
        other = [text for text in PROBES if by_file.encode(text).ids != tokenizer.encode(text).ids]
        if other:
            print(f"note: texts are read as transformers reads them, which is not as {path} says (such as {other[0]!r})", flush=True)

    def model(self, config: PreTrainedConfig, tokenizer: Tokenizer) -> nn.Module:
        """In float32. Eager attention: the exporter traces it."""
        try:
            model, report = AutoModelForSequenceClassification.from_pretrained(
                self.name,
                config=config,
                local_files_only=self.is_folder,
                attn_implementation="eager",
                dtype=torch.float32,
                output_loading_info=True,
            )
        except Exception as error:
            raise self._failed("model", error) from error
        missing = sorted(report["missing_keys"])
        if missing:
            raise SystemExit(f"{self.name} is not trained to classify (it has no weights for {missing[0]}): take a fine-tuned model")
        known, given = model.get_input_embeddings().num_embeddings, max(tokenizer.get_vocab().values()) + 1
        if given > known:
            raise SystemExit(f"the tokenizer of {self.name} has {given} tokens, its model knows {known}: put the files of its own tokenizer there")
        return model.eval()


def quiet_libraries() -> None:
    """Their warnings are about choices that are made here, and their news about each request to the hub."""
    for name in ("transformers", "httpx", "httpx2"):
        logging.getLogger(name).setLevel(logging.ERROR)


def positions_of(model: nn.Module) -> int:
    """Tokens that the model has positions for. RoBERTa and its kin count theirs from the one after the padding's."""
    tables = [table for name, table in model.named_modules() if name.endswith("position_embeddings") and isinstance(table, nn.Embedding)]
    if tables:
        return min(table.num_embeddings - (0 if table.padding_idx is None else table.padding_idx + 1) for table in tables)
    return getattr(model.config, "max_position_embeddings", None) or LONGEST


def max_length_of(model: nn.Module, tokenizer_length: int, wanted: int | None, preset: Preset | None) -> int:
    """Tokens, special ones included; `wanted` is the user's."""
    most = min(LONGEST, positions_of(model))
    if wanted is not None:
        if not 3 <= wanted <= most:
            raise SystemExit(f"--max-length {wanted} cannot be served: give 3 to {most} for this model")
        return wanted
    return min(most, preset.max_length if preset else tokenizer_length)
