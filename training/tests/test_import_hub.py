"""A name that is no folder is looked up on the hub, in a process of its own: the library reads its settings once."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from checkpoints import make_checkpoint

PIPELINE = Path(__file__).parent.parent
NOBODY = "http://127.0.0.1:9"
COMMIT = "0" * 40


class Hub(ThreadingHTTPServer):
    """As much of a hub as a download needs: the files of one model, for any commit."""

    def __init__(self, name: str, folder: Path):
        super().__init__(("127.0.0.1", 0), _Answers)
        self.name, self.folder = name, folder
        self.address = f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    def log_message(self, *_arguments) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        path, name = self.path.split("?")[0], self.server.name
        file = self.server.folder / path.rpartition("/")[2]
        if path == f"/api/models/{name}":
            body = json.dumps({"id": name, "sha": COMMIT, "siblings": []}).encode()
        elif path.startswith(f"/api/models/{name}/tree/"):
            body = b"[]"
        else:
            body = file.read_bytes() if path.startswith(f"/{name}/resolve/") and file.is_file() else b""
        self.send_response(200 if body else 404)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("Content-Length", str(len(body)))
        if not body:
            self.send_header("X-Error-Code", "EntryNotFound" if name in path else "RepoNotFound")
        self.end_headers()
        if with_body:
            self.wfile.write(body)


class FromTheHub(unittest.TestCase):
    def setUp(self) -> None:
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.work = Path(work.name)
        self.folder = self.work / "repository" / "sentiment_fast"

    def run_import(self, name: str, endpoint: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        return subprocess.run(
            [sys.executable, "-m", "sentiment_training.import_model", "--name", name, "--repository", str(self.folder.parent), *arguments],
            env={**kept, "PYTHONPATH": str(PIPELINE), "HF_HOME": str(self.work / "cache"), "HF_ENDPOINT": endpoint, **environment},
            cwd=self.work,
            capture_output=True,
            text=True,
        )

    def test_a_preset_is_fetched_under_its_name_there(self) -> None:
        checkpoint = make_checkpoint(self.work / "distilbert", "distilbert", ["NEGATIVE", "POSITIVE"])
        hub = Hub("distilbert/distilbert-base-uncased-finetuned-sst-2-english", checkpoint)
        with hub:
            threading.Thread(target=hub.serve_forever, daemon=True).start()
            ended = self.run_import("distilbert-base-uncased", hub.address)
            hub.shutdown()
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn(f"# sentiment_fast\n\nImported with `make import-model`: {hub.name}", (self.folder / "README.md").read_text())
        self.assertIn('"max_length" value: { string_value: "128" }', (self.folder / "config.pbtxt").read_text())

    def check_refusal(self, ended: subprocess.CompletedProcess[str], name: str) -> None:
        self.assertEqual(ended.returncode, 1)
        self.assertNotIn("Traceback", ended.stderr)
        said = f"{name} is no folder here, and the hub does not give .*: check the name and the network, or run `hf download {name}"
        self.assertRegex(ended.stderr.strip().splitlines()[-1], said)

    def test_a_hub_that_does_not_answer(self) -> None:
        self.check_refusal(self.run_import("bert-base-uncased", NOBODY), "textattack/bert-base-uncased-SST-2")

    def test_a_hub_that_must_not_be_asked(self) -> None:
        self.check_refusal(self.run_import("roberta-large", NOBODY, HF_HUB_OFFLINE="1"), "siebert/sentiment-roberta-large-english")

    def test_a_name_that_the_hub_does_not_know(self) -> None:
        hub = Hub("someone/else", self.work)
        with hub:
            threading.Thread(target=hub.serve_forever, daemon=True).start()
            ended = self.run_import("no-such/model", hub.address, "--tier", "fast")
            hub.shutdown()
        self.check_refusal(ended, "no-such/model")


if __name__ == "__main__":
    unittest.main()
