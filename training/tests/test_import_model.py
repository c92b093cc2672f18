"""Imported models answer as transformers does; what cannot be imported is refused in one line."""

from __future__ import annotations

import json
import shutil
import tempfile
import unittest
from pathlib import Path

import numpy as np
from checkpoints import LONGEST, TEXTS, WORDS, make_checkpoint, reference_logits
from importing import imported, imported_logits, refusal_of, run_import
from sentiment_training.repository import read_settings
from transformers import AutoModel, AutoTokenizer

KINDS = ("distilbert", "bert", "roberta")
SAME = 1e-4


class WithFolder(unittest.TestCase):
    def setUp(self) -> None:
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.work = Path(work.name)
        self.repository = self.work / "repository"
        self.folder = self.repository / "sentiment_fast"


class AnswersAsTransformersDoes(WithFolder):
    def check(self, kind: str) -> None:
        checkpoint = make_checkpoint(self.work / kind, kind, ["POSITIVE", "NEGATIVE", "NEUTRAL"])
        run_import(checkpoint, self.repository)
        wanted = reference_logits(checkpoint, TEXTS).numpy()[:, [1, 2, 0]]
        self.assertGreater(wanted.std(0).min(), 0.5, "the texts must differ by more than is allowed for")
        for how, logits in imported_logits(self.folder, TEXTS, LONGEST).items():
            with self.subTest(how):
                np.testing.assert_allclose(logits, wanted, atol=SAME)

    def test_distilbert(self) -> None:
        self.check("distilbert")

    def test_bert(self) -> None:
        self.check("bert")

    def test_roberta_with_padding_other_than_0(self) -> None:
        self.check("roberta")

    def test_tokenizer_as_transformers_reads(self) -> None:
        for kind in KINDS:
            checkpoint = make_checkpoint(self.work / kind, kind, ["neg", "pos"])
            run_import(checkpoint, self.repository)
            reference = AutoTokenizer.from_pretrained(checkpoint)
            tokenizer = imported(self.folder)[1]
            for text in TEXTS:
                self.assertEqual(tokenizer.encode(text).ids, reference(text)["input_ids"], text)
            self.assertIsNone(tokenizer.padding)
            self.assertIsNone(tokenizer.truncation)


class Folder(WithFolder):
    def test_config_names_lengths_and_temperature(self) -> None:
        checkpoint = make_checkpoint(self.work / "roberta", "roberta", ["neg", "pos"])
        run_import(checkpoint, self.repository, "--temperature", "1.5", tier="accurate")
        config = (self.repository / "sentiment_accurate" / "config.pbtxt").read_text()
        for line in (
            'name: "sentiment_accurate"',
            'backend: "onnxruntime"',
            '{ name: "logits" data_type: TYPE_FP32 dims: [ 3 ] label_filename: "labels.txt" }',
            # Positions 0 and 1 of its 130 are not for tokens.
            'parameters { key: "max_length" value: { string_value: "128" } }',
            'parameters { key: "temperature" value: { string_value: "1.5" } }',
        ):
            self.assertIn(line, config)
        self.assertEqual((self.repository / "sentiment_accurate" / "labels.txt").read_text(), "negative\nneutral\npositive\n")

    def test_length_of_the_user_then_of_the_preset_then_of_the_tokenizer(self) -> None:
        checkpoint = make_checkpoint(self.work / "bert", "bert", 2)
        settings = checkpoint / "tokenizer_config.json"
        settings.write_text(json.dumps({**json.loads(settings.read_text()), "model_max_length": 100}))
        for arguments, length in (([], 100), (["--preset", "bert-base-uncased"], 128), (["--max-length", "64"], 64)):
            run_import(checkpoint, self.repository, *arguments)
            self.assertIn(f'"max_length" value: {{ string_value: "{length}" }}', (self.folder / "config.pbtxt").read_text())

    def test_preset_gives_the_tier(self) -> None:
        checkpoint = make_checkpoint(self.work / "roberta", "roberta", ["NEGATIVE", "POSITIVE"])
        run_import(checkpoint, self.repository, "--preset", "roberta-large", tier=None)
        self.assertTrue((self.repository / "sentiment_accurate" / "config.pbtxt").is_file())

    def test_a_failed_import_leaves_the_model_that_was_there(self) -> None:
        run_import(make_checkpoint(self.work / "one", "distilbert", 2), self.repository)
        before = (self.folder / "1" / "model.onnx").read_bytes()
        other = make_checkpoint(self.work / "other", "distilbert", 2, seed=4)
        refusal_of(self, "--name", str(other), "--repository", str(self.repository), "--tier", "fast", "--max-length", "4000")
        self.assertEqual((self.folder / "1" / "model.onnx").read_bytes(), before)


class Scores(WithFolder):
    def setUp(self) -> None:
        super().setUp()
        self.checkpoint = make_checkpoint(self.work / "distilbert", "distilbert", ["NEGATIVE", "POSITIVE"])
        logits = reference_logits(self.checkpoint, WORDS).numpy()
        self.scored = self.work / "texts.tsv"
        self.labels = ["positive" if right else "negative" for right in logits[:, 1] > logits[:, 0]]
        # One wrong, and one that it cannot know.
        self.labels[0] = {"positive": "negative", "negative": "positive"}[self.labels[0]]
        self.write([*self.labels[:-1], "neutral"])

    def write(self, labels: list[str]) -> None:
        rows = [f"{label}\t{text}" for label, text in zip(labels, WORDS, strict=True)]
        self.scored.write_text("\n".join(["label\ttext", *rows]) + "\n", encoding="utf-8")

    def test_accuracy_with_its_interval_in_card_and_output(self) -> None:
        said = run_import(self.checkpoint, self.repository, "--score", str(self.scored))
        card = (self.folder / "README.md").read_text()
        for text in (said, card):
            self.assertIn("| three classes | 0.8000 | 0.4902 to 0.9433 | 10 |", text)
            self.assertIn("| positive or negative | 0.8889 | 0.5650 to 0.9801 | 9 |", text)
        self.assertIn("its probability is always 0", card)

    def test_temperature_is_fitted_unless_given(self) -> None:
        run_import(self.checkpoint, self.repository, "--score", str(self.scored))
        self.assertNotIn('"temperature" value: { string_value: "1.0" }', (self.folder / "config.pbtxt").read_text())
        run_import(self.checkpoint, self.repository, "--score", str(self.scored), "--temperature", "2")
        self.assertIn('"temperature" value: { string_value: "2.0" }', (self.folder / "config.pbtxt").read_text())

    def test_int8_is_near_float_and_does_not_depend_on_the_batch(self) -> None:
        for kind, labels in zip(KINDS, (2, 3, 5), strict=True):
            with self.subTest(kind):
                checkpoint = make_checkpoint(self.work / f"{kind}-{labels}", kind, labels)
                run_import(checkpoint, self.repository)
                self.assertIsNone(read_settings(self.folder).padding_cost)
                in_float = imported_logits(self.folder, TEXTS, LONGEST)["alone"]
                said = run_import(checkpoint, self.repository, "--score", str(self.scored), "--quantize")
                self.assertIn("of these texts have the label that they have in float32", said)
                self.assertIn("int8", (self.folder / "README.md").read_text())
                self.assertEqual(read_settings(self.folder).padding_cost, 0.2)
                in_int8 = imported_logits(self.folder, TEXTS, LONGEST)
                np.testing.assert_allclose(in_int8["alone"], in_int8["together"], atol=SAME)
                self.assertGreater(np.abs(in_int8["alone"] - in_float).max(), SAME, "it is the float file")
                # Ten texts are few to find ranges with, and random weights have wild ones.
                self.assertLess(np.abs(in_int8["alone"] - in_float).mean(), 0.3 * in_float[:, [0, 2]].std())


class Refusals(WithFolder):
    def setUp(self) -> None:
        super().setUp()
        self.checkpoint = make_checkpoint(self.work / "distilbert", "distilbert", 2)

    def refusal(self, *arguments: str) -> str:
        return refusal_of(self, "--name", str(self.checkpoint), "--repository", str(self.repository), "--tier", "fast", *arguments)

    def test_folder_without_config(self) -> None:
        (self.checkpoint / "config.json").unlink()
        self.assertRegex(self.refusal(), "has no config.json: name a folder")

    def test_folder_without_tokenizer(self) -> None:
        for file in self.checkpoint.glob("token*"):
            file.unlink()
        self.assertRegex(self.refusal(), "has no tokenizer .*put the files")

    def test_folder_without_weights(self) -> None:
        (self.checkpoint / "model.safetensors").unlink()
        self.assertRegex(self.refusal(), "the model in .* cannot be loaded")

    def test_folder_with_a_broken_config(self) -> None:
        (self.checkpoint / "config.json").write_text("{")
        self.assertRegex(self.refusal(), "the config.json in .* cannot be loaded")

    def test_vocabulary_that_is_empty(self) -> None:
        (self.checkpoint / "tokenizer.json").unlink()
        (self.checkpoint / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n")
        self.assertRegex(self.refusal(), "knows no words")

    def test_tokenizer_that_exists_in_python_only(self) -> None:
        shutil.rmtree(self.checkpoint)
        make_checkpoint(self.checkpoint, "roberta", 2)
        for file in self.checkpoint.glob("token*"):
            file.unlink()
        (self.checkpoint / "tokenizer_config.json").write_text('{"tokenizer_class": "BertweetTokenizer"}')
        (self.checkpoint / "vocab.txt").write_text("".join(f"{letter}@@ 1\n{letter} 1\n" for letter in "abcdefghijklmnop"))
        (self.checkpoint / "bpe.codes").write_text("a b 1\n")
        self.assertRegex(self.refusal(), "BertweetTokenizer.* exists in Python only: take a model")

    def test_tokenizer_of_another_model(self) -> None:
        other = make_checkpoint(self.work / "roberta", "roberta", 2)
        for file in other.glob("token*"):
            shutil.copy(file, self.checkpoint)
        self.assertRegex(self.refusal(), "has 550 tokens, its model knows .*put the files of its own")

    def test_model_that_was_never_trained_to_classify(self) -> None:
        AutoModel.from_pretrained(self.checkpoint).save_pretrained(self.checkpoint)
        self.assertRegex(self.refusal(), "is not trained to classify .*take a fine-tuned model")

    def test_arguments(self) -> None:
        for arguments, message in (
            (["--tier", "turbo"], "tier turbo: give --tier .* fast, balanced or accurate"),
            (["--preset", "gpt"], "preset gpt is unknown: give one of distilbert-base-uncased"),
            (["--temperature", "0"], "--temperature 0.0 cannot be served: give more than 0"),
            (["--max-length", "129"], "--max-length 129 cannot be served: give 3 to 128"),
            (["--quantize"], "--quantize .* needs texts .*give --score"),
        ):
            self.assertRegex(self.refusal(*arguments), message)
        self.assertRegex(refusal_of(self, "--repository", str(self.repository)), "no model: give --name")

    def test_version_that_would_be_served_instead(self) -> None:
        (self.folder / "2").mkdir(parents=True)
        self.assertRegex(self.refusal(), "holds version 2, .*remove")

    def test_score_file(self) -> None:
        path = self.work / "scored.tsv"
        self.assertRegex(self.refusal("--score", str(path)), "is missing: --score .* names")
        for content, message in (
            (b"label\tsentence\n1\tgood\n", "cannot be read .*columns label"),
            (b"label\ttext\ngreat\tgood\n", "cannot be read .*columns label"),
            (b"label\ttext\npositive\n", "no text in line 2"),
            (b"label\ttext\n", "has no rows"),
            (b"label\ttext\npositive\t\xff\xfe\n", "cannot be read .*UTF-8"),
        ):
            path.write_bytes(content)
            self.assertRegex(self.refusal("--score", str(path)), message)


if __name__ == "__main__":
    unittest.main()
