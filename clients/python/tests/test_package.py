"""The package as it is installed, and its example."""

from __future__ import annotations

import importlib.metadata
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

import grpc
from real_server import RealServer, new_key
from scripted_server import serving
from texts import some_texts

import sentiment_client
from sentiment_client import FieldViolation, Label, Reason, SentimentClient, SentimentError

EXAMPLE = "clients/python/examples/analyze_lines.py"


class Installed(unittest.TestCase):
    def test_is_the_wheel_with_its_types_and_the_servers_version(self) -> None:
        folder = Path(sentiment_client.__file__).parent
        self.assertEqual(folder.parent, Path(os.environ["INSTALLED_AT"]))
        for name in ("py.typed", "gen/sentiment_pb2.pyi", "gen/sentiment_pb2_grpc.pyi"):
            self.assertTrue((folder / name).is_file(), name)
        version = json.loads(Path("package.json").read_text())["version"]
        self.assertEqual(importlib.metadata.version("sentiment-analyzer-client"), version)

    def test_knows_all_reasons_of_the_server(self) -> None:
        codes = re.search(r"CODES: Record<Reason, Code> = \{(.*?)\}", Path("server/rpc/status.ts").read_text(), re.DOTALL)
        assert codes is not None
        ours = [value for name, value in vars(Reason).items() if name.isupper()]
        self.assertEqual(sorted(ours), sorted(re.findall(r"(\w+): Code", codes[1])))

    def test_what_comes_back_can_go_to_other_processes(self) -> None:
        violations = (FieldViolation("text", "it is bad"),)
        error = SentimentError(grpc.StatusCode.INVALID_ARGUMENT, "TEXT_EMPTY", "no text", 1.5, violations)
        again = pickle.loads(pickle.dumps(error))
        self.assertEqual((again.args, str(again), again.code), (error.args, "TEXT_EMPTY: no text", error.code))
        sentiment = sentiment_client.Sentiment(label=Label.LABEL_POSITIVE, score=0.5)
        self.assertEqual(pickle.loads(pickle.dumps(sentiment)), sentiment)

    def test_takes_the_address_from_the_environment(self) -> None:
        with serving() as server, patch.dict(os.environ, SENTIMENT_ADDRESS=server.address):
            with SentimentClient() as client:
                self.assertEqual(client.analyze("abc").sentiment.score, 3)


class Example(unittest.TestCase):
    def run_example(self, texts: bytes, *arguments: str, key: str = "") -> list[str]:
        env = {**os.environ, **({"SENTIMENT_API_KEY": key} if key else {})}
        command = [sys.executable, EXAMPLE, *arguments]
        return subprocess.run(command, input=texts, env=env, check=True, capture_output=True).stdout.decode().splitlines()

    def test_says_the_same_of_each_line_in_both_modes(self) -> None:
        folder = self.enterContext(tempfile.TemporaryDirectory())
        file = os.path.join(folder, "keys.json")
        key = new_key(file, "--name", "example")
        server = self.enterContext(RealServer(API_KEYS_FILE=file))
        texts = b"\n".join([*(text.encode() for text in some_texts(200)), b"", b"\xff\xfe", "schön 😀\r".encode(), b"last"])
        read = Path(folder, "texts.txt")
        read.write_bytes(texts)
        options = ("--address", server.address, "--tier", "fast")
        lines = self.run_example(texts, *options, key=key)
        self.assertEqual(self.run_example(b"", str(read), *options, "--mode", "stream", key=key), lines)
        said = [json.loads(line) for line in lines]
        self.assertEqual([each["index"] for each in said], list(range(204)))
        self.assertEqual(said[200:202], [{"index": 200, "error": "TEXT_EMPTY"}, {"index": 201, "error": "TEXT_NOT_UTF8"}])
        self.assertEqual(list(said[0]), ["index", "label", "score", "confidence", "token_count"])
        with SentimentClient(server.address, api_key=key) as client:
            sentiment = client.analyze(some_texts(200)[0]).sentiment
        self.assertEqual(said[0]["label"], Label.Name(sentiment.label))
        # Of 32 bits, both: as precise as what came.
        self.assertEqual(sentiment_client.Sentiment(score=said[0]["score"]).score, sentiment.score)
        with self.assertRaises(subprocess.CalledProcessError) as raised:
            self.run_example(texts, *options)
        self.assertIn(b"SentimentError: KEY_MISSING", raised.exception.stderr)


if __name__ == "__main__":
    unittest.main()
