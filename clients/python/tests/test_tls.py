"""TLS and mutual TLS with the real server, with certificates that openssl makes."""

from __future__ import annotations

import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import ClassVar
from unittest.mock import patch

import grpc
from both import CLIENTS
from real_server import RealServer

from sentiment_client import Label, SentimentError, Tls

EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]


def certificate(folder: Path, name: str, ca: str | None = None) -> None:
    """NAME.pem and NAME.key for this machine, signed by that authority; None: by itself, as one."""
    files = ["-subj", f"/CN={name}", "-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")]
    signed = []
    if ca is not None:
        signed = ["-CA", str(folder / f"{ca}.pem"), "-CAkey", str(folder / f"{ca}.key")]
        signed += ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(["openssl", "req", "-x509", *EC, *files, *signed], check=True, capture_output=True)


class Certificates(unittest.TestCase):
    folder: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        certificate(cls.folder, "ca")
        certificate(cls.folder, "other-ca")
        certificate(cls.folder, "server", "ca")
        certificate(cls.folder, "client", "ca")

    def file(self, name: str) -> str:
        return str(self.folder / name)

    def serve(self, **settings: str) -> RealServer:
        files = {"TLS_CERT": self.file("server.pem"), "TLS_KEY": self.file("server.key"), **settings}
        return self.enterContext(RealServer(0, **files))

    def assert_answered(self, server: RealServer, tls: Tls) -> None:
        for kind in CLIENTS:
            with self.subTest(kind), CLIENTS[kind](server.address, tls=tls) as client:
                self.assertEqual(client.analyze("I love it").sentiment.label, Label.LABEL_POSITIVE)

    def assert_refused(self, server: RealServer, tls: Tls | None) -> None:
        for kind in CLIENTS:
            with self.subTest(kind), CLIENTS[kind](server.address, tls=tls, timeout=10) as client:
                with self.assertRaises(SentimentError) as raised:
                    client.analyze("I love it")
                self.assertEqual(raised.exception.code, grpc.StatusCode.UNAVAILABLE)

    def test_trusts_the_authority_that_is_named_and_no_other(self) -> None:
        server = self.serve()
        self.assert_answered(server, Tls.from_files(ca=self.file("ca.pem")))
        self.assert_refused(server, Tls.from_files(ca=self.file("other-ca.pem")))
        self.assert_refused(server, None)

    def test_trusts_what_the_machine_does_where_none_is_named(self) -> None:
        server = self.serve()
        self.assert_refused(server, Tls())
        with patch.dict(os.environ, SSL_CERT_FILE=self.file("ca.pem")):
            self.assert_answered(server, Tls())

    def test_shows_its_own_certificate_for_mutual_tls(self) -> None:
        server = self.serve(TLS_CLIENT_CA=self.file("ca.pem"))
        ca, pem, key = self.file("ca.pem"), self.file("client.pem"), self.file("client.key")
        self.assert_answered(server, Tls.from_files(ca, pem, key))
        self.assert_refused(server, Tls.from_files(ca))

    def test_says_what_is_wrong_with_files(self) -> None:
        with self.assertRaisesRegex(ValueError, "together, or neither"):
            Tls.from_files(certificate=self.file("client.pem"))
        with self.assertRaises(FileNotFoundError):
            Tls.from_files(ca=self.file("none.pem"))
        self.assertNotIn("PRIVATE", repr(Tls.from_files(None, self.file("client.pem"), self.file("client.key"))))


if __name__ == "__main__":
    unittest.main()
