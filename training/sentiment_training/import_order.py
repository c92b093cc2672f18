"""What to import: the arguments, checked as far as they can be without the model."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from .data import Example
from .import_score import read_scored
from .import_source import PRESETS, Preset, Source

TIERS = ("fast", "balanced", "accurate")
MAX_TEMPERATURE = 100
"""That the server takes."""


@dataclass(frozen=True)
class Order:
    source: Source
    preset: Preset | None
    folder: Path
    """Of the model in the repository."""
    max_length: int | None
    labels: str | None
    quantize: bool
    scored_file: Path | None
    examples: list[Example]
    """Those of scored_file; else none."""
    temperature: float | None


def _parser(description: str) -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--name", help=f"a folder, a name on the hub, or a preset: {', '.join(PRESETS)}")
    arguments.add_argument("--tier", help="fast, balanced or accurate: what it is served as, in place of what was there")
    arguments.add_argument("--repository", type=Path, required=True)
    arguments.add_argument("--max-length", type=int, help="tokens, special ones included; default: what the model reads, at most 512")
    arguments.add_argument("--labels", help="what the outputs mean, in their order, such as negative,positive")
    arguments.add_argument("--quantize", action="store_true", help="int8, with ranges from the texts of --score")
    arguments.add_argument("--score", type=Path, help="labelled texts: accuracy for the card, and the temperature")
    arguments.add_argument("--temperature", type=float, help="logits are divided by it; default: fitted on --score, else 1")
    arguments.add_argument("--preset", help="take tier, length and labels of this preset, for a folder that holds such a model")
    return arguments


def _preset_of(given: argparse.Namespace) -> Preset | None:
    if given.preset is None:
        return PRESETS.get(given.name)
    if given.preset not in PRESETS:
        raise SystemExit(f"preset {given.preset} is unknown: give one of {', '.join(PRESETS)}")
    return PRESETS[given.preset]


def _folder_of(tier: str | None, repository: Path) -> Path:
    if tier not in TIERS:
        raise SystemExit(f"tier {tier or 'is missing'}: give --tier (make: TIER=) {', '.join(TIERS[:-1])} or {TIERS[-1]}")
    folder = repository / f"sentiment_{tier}"
    newer = [entry.name for entry in folder.glob("*") if entry.name.isdigit() and int(entry.name) > 1]
    if newer:
        raise SystemExit(f"{folder} holds version {newer[0]}, which would be served instead of the import: remove {folder / newer[0]}")
    return folder


def read_order(arguments: list[str] | None, description: str) -> Order:
    """`arguments` are those of the command line where they are None. SystemExit, in one line, where they do not fit."""
    given = _parser(description).parse_args(arguments)
    if not given.name:
        raise SystemExit(f"no model: give --name (make: NAME=) with a folder, a name on the hub, or one of {', '.join(PRESETS)}")
    preset = _preset_of(given)
    if given.quantize and given.score is None:
        raise SystemExit("--quantize (make: QUANTIZE=1) needs texts to find the ranges with: give --score (make: SCORE=) as well")
    if given.temperature is not None and not 0 < given.temperature <= MAX_TEMPERATURE:
        raise SystemExit(f"--temperature {given.temperature} cannot be served: give more than 0, at most {MAX_TEMPERATURE}")
    return Order(
        source=Source.of(given.name),
        preset=preset,
        folder=_folder_of(given.tier or (preset.tier if preset else None), given.repository),
        max_length=given.max_length,
        labels=given.labels or (preset.labels if preset else None),
        quantize=given.quantize,
        scored_file=given.score,
        examples=read_scored(given.score) if given.score else [],
        temperature=given.temperature,
    )
