"""The built server, with its real models, as a process of its own."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import urllib.request

# From 32768 on the kernel gives ports to outgoing connections, and one of those could be quicker.
LEAST_PORT, END_PORT = 20_000, 32_768


def free_port() -> int:
    while True:
        port = random.randrange(LEAST_PORT, END_PORT)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


class RealServer:
    def __init__(self, port: int = 0, **settings: str) -> None:
        defaults = {"HTTP_PORT": "0", "WARM_UP_FILE": "/dev/null", "MAX_WORKERS": "2"}
        env = {**os.environ, **defaults, "GRPC_PORT": str(port), **settings}
        self._process = subprocess.Popen(["node", "dist/server/main.js"], env=env, stdout=subprocess.PIPE, text=True)
        self.target, self._ops = "", ""
        for line in self._process.stdout:
            said = json.loads(line)
            self._ops = said.get("opsAddress", self._ops)
            self.target = said.get("address", "")
            if self.target:
                return
        raise RuntimeError("the server ended before it was ready")

    def metric(self, name: str) -> float:
        """Added up over its labels."""
        with urllib.request.urlopen(f"http://{self._ops}/metrics", timeout=5) as reply:
            lines = reply.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.split("{")[0].split(" ")[0] == name)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        self._process.send_signal(how)
        # Else a log that nobody reads could fill the pipe.
        self._process.communicate(timeout=60)

    def __enter__(self) -> RealServer:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.stop()
