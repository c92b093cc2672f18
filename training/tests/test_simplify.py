"""A simplified graph answers as before, node by node and to the last bit, whatever the model is."""

from __future__ import annotations

import tempfile
import unittest
import warnings
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import numpy as np
import onnx
import onnxruntime
from checkpoints import make_checkpoint, reference
from onnxruntime.quantization.shape_inference import quant_pre_process
from sentiment_training.export import export_float
from sentiment_training.model import pad
from sentiment_training.onnx_model import OnnxModel
from sentiment_training.packing import padding_cost_of
from sentiment_training.quantize import quantize
from sentiment_training.repository import Settings, read_settings, write_configs
from sentiment_training.simplify import main, simplified, simplify
from transformers import PreTrainedModel

ROWS = [[5, 6, 7, 8, 9, 10, 11], [12], [13, 14, 15], list(range(20, 60))]
OTHER_ROWS = [[60], [61, 5, 62], list(range(5, 120)), [70, 71, 72, 73], [9] * 17]


class Simplified(unittest.TestCase):
    def setUp(self) -> None:
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.work = Path(work.name)

    def exported(self, kind: str, attention: str = "sdpa") -> Path:
        model, _ = reference(make_checkpoint(self.work / kind, kind, 3))
        for part in model.modules():
            if isinstance(part, PreTrainedModel):
                part.set_attn_implementation(attention)
        path = self.work / f"{kind}.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            export_float(model, path)
        # As `quantize` has it: constants in their places.
        quant_pre_process(str(path), str(path), skip_symbolic_shape=True)
        return path

    def answers(self, path: Path) -> list[np.ndarray]:
        model = OnnxModel(path, pad_id=0, fused=False)
        return [model.each(OTHER_ROWS), model.together(OTHER_ROWS), model.together(ROWS)]

    def test_answers_as_before(self) -> None:
        for kind in ("bert", "distilbert", "roberta"):
            with self.subTest(kind):
                path = self.exported(kind)
                before = self.answers(path)
                self.assertTrue(simplify(path, ROWS))
                for old, new in zip(before, self.answers(path), strict=True):
                    np.testing.assert_array_equal(old, new)

    def test_computes_no_shapes_of_bert(self) -> None:
        nodes = Counter(node.op_type for node in simplified(onnx.load(str(self.exported("bert")))).graph.node)
        for kind in ("Range", "Expand", "GatherElements"):
            self.assertNotIn(kind, nodes)

    def tokens_of(self, model: onnx.ModelProto, kind: str, rows: list[list[int]] = [ROWS[0]] * 2) -> list[int]:
        """Of each layer's nodes of that kind (of attention: queries)."""
        names = [node.output[0] for node in model.graph.node if node.op_type == kind]
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        ids, mask = pad(rows, 0)
        return [values.shape[-2] for values in session.run(names, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})]

    def test_works_out_the_last_layer_for_the_token_that_is_read(self) -> None:
        for kind in ("bert", "distilbert", "roberta"):
            with self.subTest(kind):
                path = self.exported(kind)
                self.assertEqual(set(self.tokens_of(onnx.load(str(path)), "Erf")), {7})
                self.assertTrue(simplify(path, ROWS))
                *others, last = self.tokens_of(onnx.load(str(path)), "Erf")
                self.assertEqual((set(others), last), ({7}, 1))

    def test_asks_of_int8_attention_what_one_token_reads(self) -> None:
        for kind in ("bert", "distilbert"):
            with self.subTest(kind):
                path = self.work / f"{kind}-int8.onnx"
                quantize(self.exported(kind, "eager"), path, [*ROWS, *OTHER_ROWS])
                for node in ("Softmax", "Erf"):
                    *others, last = self.tokens_of(onnx.load(str(path)), node)
                    self.assertEqual((set(others), last), ({7}, 1))

    def test_leaves_the_last_layer_where_more_is_read(self) -> None:
        path = self.exported("bert")
        model = onnx.load(str(path))
        # A second head reads all of its tokens.
        head = next(node for node in model.graph.node if node.op_type == "Gather" and "pooler" in node.output[0])
        model.graph.node.append(onnx.helper.make_node("Identity", [head.input[0]], ["all_tokens"]))
        model.graph.output.append(onnx.helper.make_tensor_value_info("all_tokens", onnx.TensorProto.FLOAT, ["batch", "sequence", 32]))
        self.assertEqual(set(self.tokens_of(simplified(model), "Erf")), {7})

    def test_leaves_norms_to_themselves_unless_told_otherwise(self) -> None:
        for fuses in (False, True):
            with self.subTest(fuses=fuses):
                path = self.exported("bert")
                before = OnnxModel(path, pad_id=0).together(ROWS)
                self.assertTrue(simplify(path, ROWS, fuses_norms=fuses))
                fused = str(self.work / "fused.onnx")
                options = onnxruntime.SessionOptions()
                options.log_severity_level = 3
                options.optimized_model_filepath = fused
                onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
                self.assertEqual("SkipLayerNormalization" in {node.op_type for node in onnx.load(fused).graph.node}, fuses)
                if fuses:
                    np.testing.assert_array_equal(OnnxModel(path, pad_id=0).together(ROWS), before)

    def packed(self, kind: str, *, int8: bool) -> tuple[Path, Path]:
        """The same model with its padding, and without."""
        padded, packed = (self.work / f"{kind}-{name}.onnx" for name in ("padded", "packed"))
        source = self.exported(kind, "eager")
        if int8:
            quantize(source, padded, [*ROWS, *OTHER_ROWS])
        else:
            padded.write_bytes(source.read_bytes())
            self.assertTrue(simplify(padded, ROWS))
        packed.write_bytes(padded.read_bytes())
        self.assertTrue(simplify(packed, ROWS, packs=True))
        return padded, packed

    def test_answers_as_before_without_padding(self) -> None:
        for kind in ("bert", "distilbert", "roberta"):
            for int8 in (False, True):
                with self.subTest(kind, int8=int8):
                    padded, packed = self.packed(kind, int8=int8)
                    for old, new in zip(self.answers(padded), self.answers(packed), strict=True):
                        np.testing.assert_array_equal(old, new)

    def test_works_out_no_padding_but_in_attention(self) -> None:
        for kind in ("bert", "distilbert", "roberta"):
            for int8 in (False, True):
                with self.subTest(kind, int8=int8):
                    _, packed = self.packed(kind, int8=int8)
                    rows = [[5, 6, 7, 8, 9, 10, 11], [12, 13], [14, 15, 16]]
                    *others, last = self.tokens_of(onnx.load(str(packed)), "Erf", rows)
                    self.assertEqual((set(others), last), ({12}, 1))

    def test_does_nothing_more_to_a_packed_file(self) -> None:
        _, packed = self.packed("bert", int8=True)
        before = onnx.load(str(packed))
        for packs in (False, True):
            self.assertTrue(simplify(packed, ROWS, packs=packs))
            self.assertEqual(onnx.load(str(packed)), before)

    def test_tells_what_padding_costs_a_packed_file_alone(self) -> None:
        padded, packed = self.packed("bert", int8=True)
        self.assertIsNone(padding_cost_of(padded, 128))
        self.assertEqual([padding_cost_of(packed, length) for length in (16, 128, 512)], [0.1, 0.2, 0.4])

    def test_writes_what_padding_costs_into_the_configuration_of_that_file(self) -> None:
        for attention, cost in (("eager", 0.2), ("sdpa", None)):
            with self.subTest(attention):
                folder = self.work / attention / "sentiment_fast"
                for part in ("1", "configs"):
                    (folder / part).mkdir(parents=True)
                (folder / "tokenizer.json").write_text("{}")
                (folder / "1" / "model.onnx").write_bytes(self.exported("bert", attention).read_bytes())
                write_configs(folder, Settings(96, 1.5, 0.25))
                refused = self.assertRaisesRegex(SystemExit, "does not leave padding out") if cost is None else nullcontext()
                with mock.patch("sys.argv", ["simplify", "--pack", str(folder)]), refused:
                    main()
                self.assertEqual(read_settings(folder), Settings(96, 1.5, 0.25, cost))
                for other in ("gpu", "tensorrt"):
                    self.assertNotIn("padding_cost", (folder / "configs" / f"{other}.pbtxt").read_text())

    def test_leaves_what_it_cannot_pack(self) -> None:
        # Attention is cut into pieces of which it cannot be told that they have the rows' shape.
        model = onnx.load(str(self.exported("bert", "sdpa")))
        self.assertEqual(simplified(model, packs=True), simplified(model))

    def test_does_not_pack_what_is_told_to_who_asks(self) -> None:
        model = onnx.load(str(self.exported("bert", "eager")))
        norm = next(node for node in model.graph.node if node.op_type == "LayerNormalization")
        model.graph.output.append(onnx.helper.make_tensor_value_info(norm.output[0], onnx.TensorProto.FLOAT, ["batch", "sequence", 32]))
        self.assertNotIn("NonZero", {node.op_type for node in simplified(model, packs=True).graph.node})

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
        self.assertFalse(simplify(path, ROWS))
        self.assertEqual(path.read_bytes(), before)

    def test_does_nothing_more_to_a_simplified_file(self) -> None:
        path = self.exported("bert")
        self.assertTrue(simplify(path, ROWS))
        before = onnx.load(str(path))
        self.assertTrue(simplify(path, ROWS))
        self.assertEqual(onnx.load(str(path)), before)

    def test_keeps_a_mask_of_what_is_far_away(self) -> None:
        path = self.exported("bert")
        model = onnx.load(str(path))
        constants = {one.name for one in model.graph.initializer}
        where = next(node for node in model.graph.node if node.op_type == "Where" and constants.issuperset(node.input[1:]))
        # So far that no row here is long enough for it to matter.
        nodes = [
            onnx.helper.make_node("Shape", ["input_ids"], ["w_shape"]),
            onnx.helper.make_node("Gather", ["w_shape", "w_one"], ["w_length"]),
            onnx.helper.make_node("Range", ["w_zero", "w_length", "w_one"], ["w_places"]),
            onnx.helper.make_node("Unsqueeze", ["w_places", "w_axis"], ["w_queries"]),
            onnx.helper.make_node("Sub", ["w_queries", "w_places"], ["w_apart"]),
            onnx.helper.make_node("Abs", ["w_apart"], ["w_far"]),
            onnx.helper.make_node("LessOrEqual", ["w_far", "w_window"], ["w_near"]),
            onnx.helper.make_node("And", [where.input[0], "w_near"], ["w_read"]),
        ]
        numbers = {"w_one": 1, "w_zero": 0, "w_window": 64, "w_axis": [1]}
        model.graph.initializer.extend(onnx.numpy_helper.from_array(np.array(value, dtype=np.int64), name) for name, value in numbers.items())
        place = list(model.graph.node).index(where)
        for offset, node in enumerate(nodes):
            model.graph.node.insert(place + offset, node)
        where.input[0] = "w_read"
        onnx.save(model, str(path))
        far = [[*range(20, 120)]]
        before = OnnxModel(path, pad_id=0, fused=False).each(far)
        self.assertTrue(simplify(path, ROWS))
        np.testing.assert_array_equal(before, OnnxModel(path, pad_id=0, fused=False).each(far))

    def test_leaves_a_graph_that_it_cannot_try(self) -> None:
        path = self.exported("bert")
        before = path.read_bytes()
        self.assertFalse(simplify(path, [[10_000]]))
        self.assertEqual(path.read_bytes(), before)


if __name__ == "__main__":
    unittest.main()
