"""The built server, with its real models, as a process of its own."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
from types import TracebackType

# From 32768 on the kernel gives ports to outgoing connections, and one of those could be quicker.
LEAST_PORT, END_PORT = 20_000, 32_768
DEFAULTS = {
    "HTTP_PORT": "0",
    "WARM_UP_FILE": "/dev/null",
    "MAX_WORKERS": "2",
    "PREFETCH_MODELS": "false",
    "DEFAULT_TIER": "fast",
}


def free_port() -> int:
    while True:
        port = random.randrange(LEAST_PORT, END_PORT)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def new_key(file: str, *arguments: str) -> str:
    command = ["node", "dist/server/keys-cli.js", "new", "--file", file, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class RealServer:
    def __init__(self, port: int = 0, **settings: str) -> None:
        env = {**os.environ, **DEFAULTS, "GRPC_PORT": str(port), **settings}
        self._process = subprocess.Popen(["node", "dist/server/main.js"], env=env, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if "address" in said:
                self.address: str = said["address"]
                return
        raise RuntimeError("the server ended before it was ready")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        self._process.send_signal(how)
        # Else a log that nobody reads could fill the pipe.
        self._process.communicate(timeout=60)

    def __enter__(self) -> RealServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process.poll() is None:
            self.stop()
