"""The receivers of webhooks that the guide shows: whether they take what is genuine, and nothing else."""

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import httpx
from tests import patient

from ledgerbee.core.dates import system_clock
from ledgerbee.core.ids import new_id
from ledgerbee.webhooks.events.body import body_of
from ledgerbee.webhooks.signing import SignatureType, new_secret, signed_headers

GUIDE: Final = Path(__file__).parents[1] / "docs" / "guides" / "webhooks.md"
_PATIENCE_S: Final = 30


def programs(language: str) -> list[str]:
    """The programs of the guide in a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)


def judge(command: Sequence[str | Path], folder: Path) -> None:
    """Run a receiver, send it what may come, and look at what it answers and prints."""
    secret, other, newer = (new_secret(SignatureType.SYMMETRIC) for _ in range(3))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    environment = {**os.environ, "SECRET": secret, "PORT": str(port)}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        try:
            assert _answers(run, f"http://127.0.0.1:{port}/hook", secret, other, newer) == {
                "genuine": 204,
                "once more": 204,
                "after a roll": 204,
                "another secret": 401,
                "another body": 401,
                "another id": 401,
                "of yesterday": 401,
                "of tomorrow": 401,
                "unsigned": 401,
            }
        finally:
            run.kill()
        assert run.stdout is not None
        assert run.stdout.read().decode().splitlines() == ["customer.updated 1", "customer.updated 3"]


def _answers(run: "subprocess.Popen[bytes]", url: str, secret: str, other: str, newer: str) -> dict[str, int]:
    now = system_clock()
    (first, body), (second, later) = _event(1, now), _event(3, now)
    genuine = signed_headers(first, now, body, [secret])
    sent = {
        "genuine": (genuine, body),
        "once more": (signed_headers(first, now + timedelta(seconds=1), body, [secret]), body),
        "after a roll": (signed_headers(second, now, later, [newer, secret]), later),
        "another secret": (signed_headers(first, now, body, [other]), body),
        "another body": (genuine, later),
        "another id": ({**genuine, "webhook-id": str(uuid4())}, body),
        "of yesterday": (signed_headers(first, now - timedelta(days=1), body, [secret]), body),
        "of tomorrow": (signed_headers(first, now + timedelta(days=1), body, [secret]), body),
        "unsigned": ({}, body),
    }
    _wait_for(run, url)
    return {
        case: patient.post(url, content=bytes_, headers=fields).status_code for case, (fields, bytes_) in sent.items()
    }


def _event(sequence: int, at: datetime) -> tuple[UUID, bytes]:
    event_id = new_id()
    data = json.dumps({"id": str(new_id()), "name": "Æblegården 🍏", "creditLimit": "1000.00"}, ensure_ascii=False)
    return event_id, body_of(event_id, "customer.updated", at, sequence, data)


def _wait_for(run: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        with suppress(httpx.TransportError):
            assert patient.post(url, content=b"").status_code == 401
            return
        assert run.poll() is None, run.stderr and run.stderr.read()
        assert time.monotonic() < deadline, "it does not listen"
        time.sleep(0.05)
