"""Whatever a model calls its classes, and in whatever order, negative, neutral and positive get their probabilities."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch
from checkpoints import LONGEST, TEXTS, make_checkpoint, reference_logits
from importing import imported_logits, refusal_of, run_import

from sentiment_training.import_labels import NEVER, grade_of, three_classes

CLASSES = ("negative", "neutral", "positive")


class Words(unittest.TestCase):
    def test_grades(self) -> None:
        for word, grade in {
            "NEGATIVE": 1, "neg": 1, " Neutral": 2, "POS": 3, "very negative": 0, "Very_Positive": 4, "very-neg": 0,
            "1 star": 0, "2 stars": 1, "3 STARS": 2, "5 stars": 4, "6 stars": None, "LABEL_0": None, "joy": None, "": None, "1": None,
        }.items():  # fmt: skip
            with self.subTest(word):
                self.assertEqual(grade_of(word), grade)


class Mappings(unittest.TestCase):
    def setUp(self) -> None:
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.work = Path(work.name)

    def check(self, labels: list[str] | int, served: str, *arguments: str, said: str = "") -> None:
        """`served`: of each output the first letters of the class that it counts as."""
        checkpoint = make_checkpoint(self.work / "checkpoint", "distilbert", labels)
        self.assertIn(said, run_import(checkpoint, self.work, *arguments))
        own = torch.softmax(reference_logits(checkpoint, TEXTS), -1).numpy()
        columns = [[place for place, word in enumerate(served.split()) if label.startswith(word)] for label in CLASSES]
        wanted = np.stack([own[:, places].sum(1) for places in columns], 1)
        logits = imported_logits(self.work / "sentiment_fast", TEXTS, LONGEST)["together"]
        np.testing.assert_allclose(torch.softmax(torch.tensor(logits), -1).numpy(), wanted, atol=1e-5)
        if [] in columns:
            self.assertTrue((logits[:, 1] == NEVER).all())

    def test_two_by_words(self) -> None:
        self.check(["POSITIVE", "NEGATIVE"], "pos neg", said="labels by the words")

    def test_two_without_names(self) -> None:
        self.check(2, "neg pos", said="labels have no names; taken in the usual order negative, positive")

    def test_two_given_against_the_usual_order(self) -> None:
        self.check(2, "pos neg", "--labels", "positive, negative", said="labels as given")

    def test_three_by_words(self) -> None:
        self.check(["neutral", "Pos", "neg"], "neu pos neg")

    def test_three_without_names(self) -> None:
        self.check(3, "neg neu pos", said="negative, neutral, positive. If that is wrong, give --labels")

    def test_three_of_other_words_given(self) -> None:
        self.check(["good", "so-so", "bad"], "pos neu neg", "--labels", "positive,neutral,negative")

    def test_five_by_words(self) -> None:
        self.check(["very positive", "Negative", "NEUTRAL", "Very Negative", "positive"], "pos neg neu neg pos")

    def test_five_stars(self) -> None:
        self.check(["5 stars", "4 stars", "3 stars", "2 stars", "1 star"], "pos pos neu neg neg")

    def test_five_without_names(self) -> None:
        self.check(5, "neg neg neu pos pos", said="very negative, negative, neutral, positive, very positive")


class Refusals(unittest.TestCase):
    def refusal(self, labels: list[str] | int, *arguments: str, **fields) -> str:
        with tempfile.TemporaryDirectory() as work:
            checkpoint = make_checkpoint(Path(work) / "checkpoint", "distilbert", labels, **fields)
            return refusal_of(self, "--name", str(checkpoint), "--repository", work, "--tier", "fast", *arguments)

    def test_other_classes(self) -> None:
        said = self.refusal(["joy", "anger"])
        self.assertRegex(said, r'\(joy, anger\) are not known as sentiment: give --labels .*"negative,positive"')

    def test_one_of_the_words_twice(self) -> None:
        self.assertRegex(self.refusal(["negative", "neg", "positive"]), "are not known as sentiment")

    def test_four_classes(self) -> None:
        self.assertRegex(self.refusal(4), "has 4 labels .*only models of 2, 3 or 5")

    def test_labels_that_do_not_fit(self) -> None:
        for labels in ("negative", "negative,negative", "good,bad", "negative,neutral,positive"):
            self.assertRegex(self.refusal(2, "--labels", labels), "--labels .* does not fit .*give --labels")

    def test_regression(self) -> None:
        self.assertRegex(self.refusal(["score"]), "regression.*take one trained to choose")

    def test_several_labels_at_once(self) -> None:
        said = self.refusal(["negative", "positive"], problem_type="multi_label_classification")
        self.assertRegex(said, "multi_label_classification.*take one trained to choose")


class Arithmetic(unittest.TestCase):
    def test_sums_of_large_logits_stay_finite(self) -> None:
        logits = torch.tensor([[100.0, 100.0, -100.0, 3.0, -2000.0]])
        found = three_classes(logits, ((0, 1), (2,), (3, 4)))
        torch.testing.assert_close(found, torch.tensor([[100.0 + np.log(2), -100.0, 3.0]], dtype=torch.float32))


if __name__ == "__main__":
    unittest.main()
