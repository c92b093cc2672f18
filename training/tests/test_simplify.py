"""A simplified graph answers as before, to the last bit, whatever the model is."""

from __future__ import annotations

import tempfile
import unittest
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from checkpoints import make_checkpoint, reference
from onnxruntime.quantization.shape_inference import quant_pre_process
from sentiment_training.export import export_float
from sentiment_training.onnx_model import OnnxModel
from sentiment_training.simplify import simplified, simplify

ROWS = [[5, 6, 7, 8, 9, 10, 11], [12], [13, 14, 15], list(range(20, 60))]


class Simplified(unittest.TestCase):
    def setUp(self) -> None:
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.work = Path(work.name)

    def exported(self, kind: str) -> Path:
        model, _ = reference(make_checkpoint(self.work / kind, kind, 3))
        path = self.work / f"{kind}.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            export_float(model, path)
        # As `quantize` has it: constants in their places.
        quant_pre_process(str(path), str(path), skip_symbolic_shape=True)
        return path

    def answers(self, path: Path) -> list[np.ndarray]:
        model = OnnxModel(path, pad_id=0)
        return [model.each(ROWS), model.together(ROWS)]

    def test_answers_as_before(self) -> None:
        for kind in ("bert", "distilbert", "roberta"):
            with self.subTest(kind):
                path = self.exported(kind)
                before = self.answers(path)
                simplify(path)
                for old, new in zip(before, self.answers(path), strict=True):
                    np.testing.assert_array_equal(old, new)

    def test_computes_no_shapes_of_bert(self) -> None:
        nodes = Counter(node.op_type for node in simplified(onnx.load(str(self.exported("bert")))).graph.node)
        for kind in ("Range", "Expand", "GatherElements"):
            self.assertNotIn(kind, nodes)

    def test_leaves_a_file_that_would_answer_otherwise(self) -> None:
        path = self.exported("bert")
        model = onnx.load(str(path))
        # As if texts were of the second type, of which nothing that reads the graph's shape can know.
        tables = {one.name: one for one in model.graph.initializer}
        lookup = next(node for node in model.graph.node if "token_type_embeddings" in node.output[0])
        types = np.frombuffer(tables[lookup.input[0]].raw_data, dtype=np.float32).reshape(-1, 32)
        tables[lookup.input[0]].raw_data = np.concatenate([types, types[:1] + 1]).tobytes()
        tables[lookup.input[0]].dims[0] += 1
        ids = onnx.helper.make_node("Add", [lookup.input[1], "second"], ["second_ids"], name="second_ids")
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(2, dtype=np.int64), "second"))
        model.graph.node.insert(list(model.graph.node).index(lookup), ids)
        lookup.input[1] = "second_ids"
        onnx.save(model, str(path))
        before = path.read_bytes()
        simplify(path)
        self.assertEqual(path.read_bytes(), before)


if __name__ == "__main__":
    unittest.main()
