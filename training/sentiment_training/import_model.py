"""Puts any sequence classifier of Hugging Face's form into the model repository: your own, or a well-known one.

    python -m sentiment_training.import_model --name FOLDER-OR-HUB-NAME --tier fast --repository triton-model-repo
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

# The rest of the pipeline looks nothing up on a hub (base.py); a hub name must be. What the environment says still counts.
os.environ.setdefault("HF_HUB_OFFLINE", "0")
# Else the library asks the hub to convert other people's models.
os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")

import numpy as np  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

from .import_card import Card, card_text, scores_text  # noqa: E402
from .import_labels import LabelMapping, ThreeClasses, read_labels  # noqa: E402
from .import_onnx import calibration_texts, encode_within, export_checked, make_int8, pad_id_of  # noqa: E402
from .import_order import Order, read_order  # noqa: E402
from .import_score import Accuracy, accuracies_of, temperature_of  # noqa: E402
from .import_source import max_length_of, quiet_libraries  # noqa: E402
from .onnx_model import OnnxModel  # noqa: E402
from .packing import padding_cost_of  # noqa: E402
from .repository import Settings, write_folder  # noqa: E402


@dataclass(frozen=True)
class Subject:
    """The model to import, loaded."""

    name: str
    architecture: str
    mapping: LabelMapping
    tokenizer: Tokenizer
    model: ThreeClasses
    max_length: int

    @property
    def parameters(self) -> int:
        return sum(weights.numel() for weights in self.model.parameters())


def _say(text: str) -> None:
    print(text, flush=True)


def load(order: Order) -> Subject:
    source = order.source
    config = source.config()
    mapping = read_labels(config, order.labels)
    _say(f"{source.title}: {mapping.note}\n\n{mapping.table()}\n")
    tokenizer, tokenizer_length = source.tokenizer()
    classifier = source.model(config, tokenizer)
    max_length = max_length_of(classifier, tokenizer_length, order.max_length, order.preset)
    subject = Subject(source.title, config.model_type, mapping, tokenizer, ThreeClasses(classifier, mapping).eval(), max_length)
    _say(f"{config.model_type}, {subject.parameters / 1e6:.1f} million parameters, reads {max_length} tokens at once")
    return subject


def write_onnx(order: Order, subject: Subject, work: Path) -> tuple[Path, str]:
    """The file to serve, and its precision as a card tells it."""
    float_file = work / "float.onnx"
    _say("exporting, and comparing with the model ...")
    export_checked(subject.model, subject.tokenizer, subject.max_length, float_file)
    if not order.quantize:
        return float_file, "float32"
    rows = encode_within(subject.tokenizer, calibration_texts([example.text for example in order.examples]), subject.max_length)
    _say(f"quantizing with {len(rows)} texts ...")
    int8_file = work / "int8.onnx"
    agreement = make_int8(subject.model, rows, pad_id_of(subject.tokenizer), float_file, int8_file)
    _say(f"{agreement:.1%} of these texts have the label that they have in float32")
    return int8_file, f"int8 (fixed activation ranges from {len(rows)} texts, of which {agreement:.1%} have the label that they have in float32)"


def score(order: Order, subject: Subject, onnx_file: Path) -> tuple[list[Accuracy], float]:
    """Accuracies, and the temperature to serve with."""
    if not order.examples:
        return [], order.temperature or 1.0
    rows = encode_within(subject.tokenizer, [example.text for example in order.examples], subject.max_length)
    logits = OnnxModel(onnx_file, pad_id_of(subject.tokenizer)).each(rows, progress="scoring")
    labels = np.array([example.label for example in order.examples])
    return accuracies_of(logits, labels), order.temperature or temperature_of(logits, labels, subject.mapping.has_neutral)


def import_model(order: Order) -> None:
    """Writes the model's folder, at the very end: an import that fails leaves the one that was there."""
    quiet_libraries()
    subject = load(order)
    with tempfile.TemporaryDirectory() as work:
        onnx_file, precision = write_onnx(order, subject, Path(work))
        accuracies, temperature = score(order, subject, onnx_file)
        scores = "Not scored."
        if order.scored_file:
            scores = scores_text(accuracies, order.scored_file.name)
            _say(scores)
        card = Card(
            folder=order.folder.name,
            name=subject.name,
            architecture=subject.architecture,
            parameters=subject.parameters,
            precision=precision,
            file_bytes=onnx_file.stat().st_size,
            max_length=subject.max_length,
            temperature=temperature,
            mapping=subject.mapping,
            scores=scores,
        )
        settings = Settings(subject.max_length, temperature, padding_cost=padding_cost_of(onnx_file, subject.max_length))
        write_folder(order.folder, onnx_file, subject.tokenizer, settings, card_text(card))
    _say(f"{order.folder} is ready, temperature {temperature}: serve it with MODEL_REPOSITORY={order.folder.parent}")


def main(arguments: list[str] | None = None) -> None:
    import_model(read_order(arguments, description=__doc__))


if __name__ == "__main__":
    main()
