"""``optconsole broker simulate`` in a process of its own."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.e2e.process import environment


class RehearsalProcess:
    """A rehearsed broker that answers; ended with the block."""

    def __init__(self, home: Path, broker: str, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "optconsole", "broker", "simulate", broker, "--home", str(home), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("ready "):
            _, errors = self.process.communicate(timeout=10)
            raise AssertionError(f"no rehearsal: {line!r} {errors!r}")
        self.ready: dict[str, Any] = json.loads(line.removeprefix("ready "))

    def client(self) -> httpx.Client:
        """A client that trusts the rehearsal's own authority, if it has one."""
        trusted = ssl.create_default_context(cafile=self.ready["ca"]) if "ca" in self.ready else True
        return httpx.Client(base_url=self.ready["rest_url"], verify=trusted, timeout=10, trust_env=False)

    def control(self, method: str, path: str, body: object = None) -> Any:
        """The control endpoint's answer."""
        headers = {"x-control-token": self.ready["control_token"]}
        with self.client() as client:
            url = f"{self.ready['control_url']}/{path}"
            return client.request(method, url, headers=headers, json=body).raise_for_status().json()

    def stop(self) -> int:
        self.process.terminate()
        self.process.communicate(timeout=20)
        return self.process.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def kite_headers(ready: dict[str, Any]) -> dict[str, str]:
    """What a client logged in at the rehearsed Zerodha sends."""
    login = ready["credentials"]
    return {"Authorization": f"token {login['api_key']}:{login['access_token']}", "X-Kite-Version": "3"}
