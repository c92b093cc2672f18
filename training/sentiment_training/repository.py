"""Writes a model's folder of the Triton model repository: what the server, the packaged Triton and NVIDIA's container read."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from .data import LABELS

MAX_BATCH = 128

_CONFIG = """\
name: "{name}"
{engine}
max_batch_size: {max_batch}
input [
  {{ name: "input_ids" data_type: TYPE_INT64 dims: [ -1 ] }},
  {{ name: "attention_mask" data_type: TYPE_INT64 dims: [ -1 ] }}
]
output [
  {{ name: "logits" data_type: TYPE_FP32 dims: [ 3 ] label_filename: "labels.txt" }}
]
instance_group [ {{ {instances} }} ]
dynamic_batching {{ }}
# The version before the newest goes on being served, so that calls under way and fronts that have not changed over yet lose nothing.
version_policy {{ latest {{ num_versions: 2 }} }}
"""
_PARAMETER = 'parameters {{ key: "{key}" value: {{ string_value: "{value}" }} }}\n'

_ENGINE_SCRIPT = """\
#!/usr/bin/env bash
# Builds the TensorRT engine of {name} from its fp16 ONNX file (training/ writes it to build/training), on a machine with the GPU
# that will serve it. Then start tritonserver with --model-config-name=tensorrt. One optimization profile a length of rows.
set -euo pipefail
trtexec --onnx="${{1:?the fp16 ONNX file}}" --saveEngine="$(dirname "$0")/../1/model.plan" --fp16{profiles}
"""
_PROFILE = """ \\
  --profile={number} \\
  --minShapes=input_ids:1x{shortest},attention_mask:1x{shortest} \\
  --optShapes=input_ids:{rows}x{longest},attention_mask:{rows}x{longest} \\
  --maxShapes=input_ids:{most}x{longest},attention_mask:{most}x{longest}"""
_BUCKETS = (16, 32, 64, 128, 256, 512)
"""Longest rows of the optimization profiles, in tokens."""


def _buckets(max_length: int) -> list[int]:
    return [bucket for bucket in _BUCKETS if bucket < max_length] + [max_length]


@dataclass(frozen=True)
class Settings:
    """What config.pbtxt tells the server of the model."""

    max_length: int
    """Tokens that it reads at once, special tokens included."""
    temperature: float
    cascade_threshold: float | None = None
    padding_cost: float | None = None
    """What a padded token costs the int8 file, of one that is read; None: as much."""

    @property
    def parameters(self) -> dict[str, str]:
        given = {"max_length": str(self.max_length), "temperature": str(self.temperature)}
        if self.cascade_threshold is not None:
            given["cascade_threshold"] = str(self.cascade_threshold)
        return given


def digests_of(folder: Path) -> dict[str, str]:
    """sha-256 of what must belong together: a front compares them with its own files before it sends a server any ids."""
    files = {"tokenizer_sha256": folder / "tokenizer.json"}
    for model in sorted(folder.glob("[0-9]*/model.onnx")):
        files[f"model_sha256_{model.parent.name}"] = model
    return {key: hashlib.sha256(path.read_bytes()).hexdigest() for key, path in files.items()}


def read_settings(folder: Path) -> Settings:
    """As `write_configs` wrote them."""
    text = (folder / "config.pbtxt").read_text(encoding="utf-8")
    found = dict(re.findall(r'key: "(\w+)" value: \{ string_value: "([^"]*)" \}', text))
    threshold, padding_cost = (None if found.get(key) is None else float(found[key]) for key in ("cascade_threshold", "padding_cost"))
    return Settings(int(found["max_length"]), float(found["temperature"]), threshold, padding_cost)


def config_text(name: str, settings: Settings, digests: dict[str, str]) -> str:
    text = _CONFIG.format(name=name, engine='backend: "onnxruntime"', max_batch=MAX_BATCH, instances="kind: KIND_CPU count: 2")
    parameters = {**settings.parameters, **digests, "intra_op_thread_count": "1"}
    if settings.padding_cost is not None:
        parameters["padding_cost"] = str(settings.padding_cost)
    return text + "".join(_PARAMETER.format(key=key, value=value) for key, value in parameters.items())


def gpu_config_text(name: str, settings: Settings, digests: dict[str, str]) -> str:
    """The ONNX runtime on a GPU, with the fp16 file (export.py writes it to the work folder; put it beside model.onnx)."""
    engine = 'backend: "onnxruntime"\ndefault_model_filename: "model.fp16.onnx"'
    text = _CONFIG.format(name=name, engine=engine, max_batch=MAX_BATCH, instances="kind: KIND_GPU count: 1")
    return text + "".join(_PARAMETER.format(key=key, value=value) for key, value in {**settings.parameters, **digests}.items())


def tensorrt_config_text(name: str, settings: Settings, digests: dict[str, str]) -> str:
    profiles = ", ".join(f'"{number}"' for number in range(len(_buckets(settings.max_length))))
    text = _CONFIG.format(
        name=name,
        engine='platform: "tensorrt_plan"\ndefault_model_filename: "model.plan"',
        max_batch=MAX_BATCH,
        instances=f"kind: KIND_GPU count: 1 profile: [ {profiles} ]",
    )
    return text + "".join(_PARAMETER.format(key=key, value=value) for key, value in {**settings.parameters, **digests}.items())


def tensorrt_script_text(name: str, settings: Settings) -> str:
    buckets = _buckets(settings.max_length)
    profiles = [
        _PROFILE.format(number=number, shortest=shortest, longest=longest, rows=32, most=MAX_BATCH)
        for number, (shortest, longest) in enumerate(zip([1, *[bucket + 1 for bucket in buckets]], buckets, strict=False))
    ]
    return _ENGINE_SCRIPT.format(name=name, profiles="".join(profiles))


def write_folder(folder: Path, onnx_file: Path, tokenizer, settings: Settings, card: str) -> None:
    """`tokenizer` is a tokenizers.Tokenizer. Whatever the folder held is replaced, file by file."""
    name = folder.name
    (folder / "1").mkdir(parents=True, exist_ok=True)
    (folder / "configs").mkdir(exist_ok=True)
    shutil.copyfile(onnx_file, folder / "1" / "model.onnx")
    tokenizer.no_padding()
    tokenizer.no_truncation()
    file = json.loads(tokenizer.to_str())
    (folder / "tokenizer.json").write_text(json.dumps(file, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    (folder / "labels.txt").write_text("".join(f"{label}\n" for label in LABELS), encoding="utf-8")
    (folder / "README.md").write_text(card, encoding="utf-8")
    write_configs(folder, settings)


def write_configs(folder: Path, settings: Settings) -> None:
    digests = digests_of(folder)
    (folder / "config.pbtxt").write_text(config_text(folder.name, settings, digests), encoding="utf-8")
    (folder / "configs" / "gpu.pbtxt").write_text(gpu_config_text(folder.name, settings, digests), encoding="utf-8")
    (folder / "configs" / "tensorrt.pbtxt").write_text(tensorrt_config_text(folder.name, settings, digests), encoding="utf-8")
    script = folder / "configs" / "tensorrt.sh"
    script.write_text(tensorrt_script_text(folder.name, settings), encoding="utf-8")
    script.chmod(0o755)
