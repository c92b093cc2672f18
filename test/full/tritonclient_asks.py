"""Asks the server at sys.argv[1] as people ask Triton, with nothing made for it; ends with an error where an answer is not right."""

import json
import sys
from pathlib import Path

import numpy as np
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

MODELS = ["sentiment_fast", "sentiment_balanced", "sentiment_accurate", "sentiment_auto"]
TEXTS = ["I love this product!", "Terrible quality, waste of money", "The meeting is on Tuesday.", "schön, 😀"]
LABELS = [b"positive", b"negative", b"neutral"]
CLASSES = [b"negative", b"neutral", b"positive"]


def text_input(texts: list[str], shape: list[int]) -> triton.InferInput:
    tensor = triton.InferInput("TEXT", shape, "BYTES")
    tensor.set_data_from_numpy(np.array([text.encode() for text in texts], dtype=np.object_).reshape(shape))
    return tensor


def refusal(client: triton.InferenceServerClient, model: str, inputs: list, **options) -> str:
    try:
        client.infer(model, inputs, **options)
    except InferenceServerException as error:
        return f"{error.status()}: {error.message()}"
    raise AssertionError("the call was answered")


def check_server(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live() and client.is_server_ready()
    package = json.loads(Path("package.json").read_text())
    server = client.get_server_metadata()
    assert (server.name, server.version) == (package["name"], package["version"]), server
    index = client.get_model_repository_index().models
    assert [(model.name, model.state) for model in index] == [(name, "READY") for name in MODELS], index
    assert not client.is_model_ready("resnet")


def check_model(client: triton.InferenceServerClient, model: str) -> None:
    assert client.is_model_ready(model) and client.is_model_ready(model, "1")
    metadata = client.get_model_metadata(model)
    assert [(tensor.name, tensor.datatype) for tensor in metadata.inputs] == [("TEXT", "BYTES")], metadata
    outputs = [(tensor.name, tensor.datatype, list(tensor.shape)) for tensor in metadata.outputs]
    assert outputs == [("LABEL", "BYTES", [-1, 1]), ("SCORE", "FP32", [-1, 1]), ("PROBABILITIES", "FP32", [-1, 3])]
    config = client.get_model_config(model).config
    assert config.name == model and config.max_batch_size == 100, config


def check_answers(client: triton.InferenceServerClient, model: str, shape: list[int]) -> None:
    options = {"long_text": "truncate", "skip_cache": True}
    reply = client.infer(model, [text_input(TEXTS, shape)], request_id="seven", parameters=options)
    header = reply.get_response()
    assert (header.model_name, header.model_version, header.id) == (model, "1", "seven"), header
    labels, scores, shares = (reply.as_numpy(name) for name in ("LABEL", "SCORE", "PROBABILITIES"))
    assert list(labels.shape) == shape and list(scores.shape) == shape and shares.shape == (len(TEXTS), 3)
    assert list(labels.flat)[: len(LABELS)] == LABELS, labels
    assert [CLASSES[best] for best in shares.argmax(axis=1)] == list(labels.flat)
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(scores.flat, shares[:, 2] - shares[:, 0], atol=1e-5)
    wanted = [triton.InferRequestedOutput("SCORE")]
    alone = client.infer(model, [text_input(TEXTS, shape)], outputs=wanted)
    assert alone.as_numpy("LABEL") is None and np.allclose(alone.as_numpy("SCORE"), scores, atol=0.01)


def check_statistics(client: triton.InferenceServerClient, model: str) -> None:
    (counted,) = client.get_inference_statistics(model).model_stats
    # Two shapes, two calls each.
    assert counted.inference_count == 4 * len(TEXTS), counted
    times = counted.inference_stats
    assert times.success.count == 4 and times.fail.count == 0
    parts = (times.queue, times.compute_input, times.compute_infer, times.compute_output)
    assert 0 < sum(part.ns for part in parts) <= times.success.ns


def check_refusals(client: triton.InferenceServerClient) -> None:
    good = text_input(["fine"], [1])
    for said, options in [
        ("NOT_FOUND: The model resnet is not served here", {"model": "resnet", "inputs": [good]}),
        ("NOT_FOUND: The model sentiment_fast has no version 9", {"inputs": [good], "model_version": "9"}),
        ("INVALID_ARGUMENT: TEXT[1] is empty", {"inputs": [text_input(["fine", " "], [2])]}),
        ("INVALID_ARGUMENT: TEXT has the shape [1, 2]", {"inputs": [text_input(["a", "b"], [1, 2])]}),
        ("INVALID_ARGUMENT: The request has 2 inputs", {"inputs": [good, good]}),
    ]:
        refused = refusal(client, **{"model": "sentiment_fast", **options})
        assert said in refused, refused


def main() -> None:
    client = triton.InferenceServerClient(sys.argv[1])
    check_server(client)
    for model in MODELS:
        check_model(client, model)
        for shape in ([len(TEXTS)], [len(TEXTS), 1]):
            check_answers(client, model, shape)
        check_statistics(client, model)
        print(f"ok: tritonclient, {model}")
    check_refusals(client)
    print("ok: tritonclient, what is refused")


if __name__ == "__main__":
    main()
