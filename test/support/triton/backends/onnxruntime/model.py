"""Triton's `onnxruntime` backend where NVIDIA's own is not to be had: onnxruntime behind Triton's Python backend.

It takes the parts of a config.pbtxt that this repository's models use and means the same by them, so that one folder of
models serves here and in NVIDIA's container.
"""
import json
from pathlib import Path

import numpy
import onnxruntime
import triton_python_backend_utils as triton

TYPES = {
    "tensor(int64)": "TYPE_INT64",
    "tensor(int32)": "TYPE_INT32",
    "tensor(float)": "TYPE_FP32",
    "tensor(float16)": "TYPE_FP16",
}


def check_tensors(kind, described, in_file):
    """Triton knows only config.pbtxt: a model that it does not describe shall fail at load, not at a client's call."""
    for tensor in described:
        name, want, have = tensor["name"], tensor["data_type"], in_file.get(tensor["name"])
        if have is None:
            raise triton.TritonModelException(f"the model has no {kind} called {name}, but {sorted(in_file)}")
        if have != want:
            raise triton.TritonModelException(f"the model's {kind} {name} is {have}, not {want}")


def open_session(path, parameters):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # 0, as without the parameter, leaves the number of threads to onnxruntime.
    options.intra_op_num_threads = int(parameters.get("intra_op_thread_count") or 0)
    options.inter_op_num_threads = int(parameters.get("inter_op_thread_count") or 0)
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise triton.TritonModelException(f"{path.name} cannot be loaded: {error}") from error


class TritonPythonModel:
    """The name and the methods are those that Triton's Python backend looks for."""

    def initialize(self, args):
        config = json.loads(args["model_config"])
        file = config.get("default_model_filename") or "model.onnx"
        path = Path(args["model_repository"], args["model_version"], file)
        parameters = {key: value["string_value"] for key, value in config.get("parameters", {}).items()}
        self.session = open_session(path, parameters)
        inputs = {tensor.name: TYPES.get(tensor.type) for tensor in self.session.get_inputs()}
        outputs = {tensor.name: TYPES.get(tensor.type) for tensor in self.session.get_outputs()}
        check_tensors("input", config["input"], inputs)
        check_tensors("output", config["output"], outputs)
        self.inputs = [tensor["name"] for tensor in config["input"]]
        self.outputs = [tensor["name"] for tensor in config["output"]]

    def execute(self, requests):
        """One run for all requests: Triton has put together only those whose rows have the same shape."""
        try:
            parts = {name: [self.input_of(request, name) for request in requests] for name in self.inputs}
            feeds = {name: rows[0] if len(rows) == 1 else numpy.concatenate(rows) for name, rows in parts.items()}
            results = dict(zip(self.outputs, self.session.run(self.outputs, feeds)))
        except Exception as error:
            # As with NVIDIA's backend, one bad row fails all that it was batched with. An error object for each request:
            # one shared by two responses brings the server down.
            return [failure(error) for _ in requests]
        ends = numpy.cumsum([len(rows) for rows in parts[self.inputs[0]]])
        return [
            self.response(request, results, end - len(rows), end)
            for request, rows, end in zip(requests, parts[self.inputs[0]], ends)
        ]

    @staticmethod
    def input_of(request, name):
        return triton.get_input_tensor_by_name(request, name).as_numpy()

    @staticmethod
    def response(request, results, first, end):
        wanted = request.requested_output_names()
        return triton.InferenceResponse(
            output_tensors=[triton.Tensor(name, rows[first:end]) for name, rows in results.items() if name in wanted]
        )

    def finalize(self):
        del self.session


def failure(error):
    return triton.InferenceResponse(
        output_tensors=[], error=triton.TritonError(f"onnx runtime error: {error}", triton.TritonError.INTERNAL)
    )
