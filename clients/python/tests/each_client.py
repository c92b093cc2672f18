"""A test for both clients, each with a scripted server of its own."""

from __future__ import annotations

import unittest
from collections.abc import Callable
from typing import Any

from both import CLIENTS
from scripted_server import ScriptedServer, serving

from sentiment_client import SentimentClient


class EachClient(unittest.TestCase):
    def each(self, test: Callable[[SentimentClient, ScriptedServer], None], **scripts: Any) -> None:
        """`make`: scripts that are made anew for each."""
        make = scripts.pop("make", dict)
        for kind, client_of in CLIENTS.items():
            with self.subTest(kind), serving(**scripts, **make()) as server, client_of(server.address) as client:
                test(client, server)
