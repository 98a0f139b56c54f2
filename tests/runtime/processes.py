"""Real processes of the program, seen as an operator sees them: arguments, environment, output, signals."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Any, TypeVar
from urllib.parse import urlsplit

import httpx
from tests import patient
from tests.runtime.copies import Starter

from ledgerbee.core.dates import day_in, system_clock

T = TypeVar("T")

#: Dozens of processes start here: each would compile the whole package anew.
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"

_FILES = tempfile.TemporaryDirectory(prefix="lb-files-", ignore_cleanup_errors=True)

PROGRAM = Path(sys.executable).with_name("ledgerbee")
#: Commands that were started here as an operator starts them.
_STARTED: set[tuple[str, ...]] = set()
#: Seconds: far longer than anything here takes, so that a busy machine fails no test.
PATIENCE = patient.PATIENCE


def wait_for(condition: Callable[[], T | None], seconds: float = PATIENCE) -> T:
    """What `condition` says, once it says something."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


def today() -> str:
    """The day of the companies that are made here: it lies in their first financial year."""
    return day_in(system_clock(), "Europe/Copenhagen").isoformat()


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without anything that ledgerbee reads, and `variables`."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LEDGERBEE_", "PG")) and name not in {"DATABASE_URL", "SMTP_URL", _NO_BYTECODE}
    }
    # No worker here asks anybody on the network for exchange rates, unless the test says whom.
    ours = {"LEDGERBEE_RATES_FETCH": "false"}
    if "DATABASE_URL" in variables:  # each database has a folder of attached files of its own
        name = hashlib.sha256(urlsplit(variables["DATABASE_URL"]).path.encode()).hexdigest()
        ours["LEDGERBEE_ATTACHMENTS_DIR"] = str(Path(_FILES.name) / name)
    return {**clean, **ours, **variables}


def cli(*arguments: str | Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end.

    Each command is started the first time as an operator does, and then as a copy of a process that has it loaded; so
    is whatever is given a variable that the interpreter or a library may read when it begins.
    """
    command = [str(part) for part in (PROGRAM, *arguments)]
    name = tuple(part for part in command[1:3] if not part.startswith("-"))
    ours = all(key.startswith("LEDGERBEE_") or key in {"DATABASE_URL", "SMTP_URL"} for key in variables)
    if name in _STARTED and ours:
        return starter().run(command, environment(**variables), PATIENCE)
    _STARTED.add(name)
    return subprocess.run(
        command, env=environment(**variables), capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@cache
def starter() -> Starter:
    """The process that this one has commands started by."""
    return Starter(environment())


def cli_json(*arguments: str | Path, **variables: str) -> Any:
    """What a command says with `--json`: exactly one object on one line, and nothing else."""
    done = cli(*arguments, "--json", **variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    return json.loads(done.stdout)


def refusal(*arguments: str | Path, **variables: str) -> str:
    """What a command that fails says: nothing on standard output, status 1."""
    done = cli(*arguments, **variables)
    assert (done.returncode, done.stdout) == (1, ""), done
    assert "Traceback" not in done.stderr
    return refused(done.stderr)


def refused(errors: str) -> str:
    """Why a command ended: after `error: `, or as the last line of a log."""
    *_, last = errors.splitlines()
    return str(json.loads(last)["error"]) if last.startswith("{") else errors.removeprefix("error: ").strip()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not yet collected by its parent does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    if not Path("/proc/self").exists():
        return True
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it ended in between
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@dataclass
class Program:
    """A running `ledgerbee`, its output going to files."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    _opened: list[IO[bytes]] = field(default_factory=list)

    @classmethod
    def start(cls, command: list[str | Path], folder: Path, **variables: str) -> "Program":
        """Start a command; `folder` takes what it prints."""
        opened: list[IO[bytes]] = [(folder / name).open("wb") for name in ("stdout", "stderr")]
        process = subprocess.Popen(command, env=environment(**variables), stdout=opened[0], stderr=opened[1])
        return cls(process, folder, opened)

    @property
    def out(self) -> str:
        return (self.folder / "stdout").read_text()

    @property
    def errors(self) -> str:
        return (self.folder / "stderr").read_text()

    @property
    def log(self) -> list[dict[str, Any]]:
        """The log lines so far; the last one may be half written."""
        return [json.loads(line) for line in self.errors.splitlines(keepends=True) if line.endswith("\n")]

    @property
    def notes(self) -> list[str]:
        """What it said for the operator."""
        return [line["text"] for line in self.log if line["event"] == "note"]

    def wait_for_event(self, event: str, count: int = 1) -> dict[str, Any]:
        """The log line of an event, once it is there for the `count`th time."""

        def found() -> dict[str, Any] | None:
            lines = [line for line in self.log if line["event"] == event]
            assert self.process.poll() is None or len(lines) >= count, self.errors
            return lines[count - 1] if len(lines) >= count else None

        return wait_for(found)

    def pid_of(self, name: str) -> int:
        """The newest process of that name under this supervisor."""
        lines = [line for line in self.log if line["event"] == "process.started" and line["process"] == name]
        return int(lines[-1]["pid"])

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait for the end; the exit code."""
        code = self.process.wait(PATIENCE)
        for opened in self._opened:
            opened.close()
        return code

    def stop(self) -> int:
        """Tell it to stop; the exit code."""
        if self.process.poll() is None:
            self.send(signal.SIGTERM)
        return self.end()


@dataclass
class Served:
    """A running `ledgerbee serve`, and an HTTP client for it."""

    program: Program
    data_dir: Path | None
    url: str
    company: str | None
    key: str | None
    http: httpx.Client

    @classmethod
    def start(cls, data_dir: Path | None, folder: Path, *options: str, **variables: str) -> "Served":
        """Start it on a free port with one API process, and wait until it says that it is ready."""
        command: list[str | Path] = [PROGRAM, "serve", "--port", "0", "--processes", "1", *options]
        if data_dir is not None:
            command += ["--data-dir", data_dir]
        program = Program.start(command, folder, **variables)
        last = "API key" if data_dir is not None else "Reference"

        def ready() -> dict[str, str] | None:
            assert program.process.poll() is None, program.errors
            said = {line[:9].strip(): line[9:].strip() for line in program.out.splitlines(keepends=False)}
            return said if last in said and program.out.endswith("\n") else None

        try:
            said = wait_for(ready)
        except BaseException:
            program.stop()  # nothing of it is left behind, which would keep the others waiting too
            raise
        url = said["API"].removesuffix("/api")
        http = patient.client(base_url=url, headers={"x-api-key": said.get("API key", "")})
        return cls(program, data_dir, url, said.get("Company"), said.get("API key"), http)

    def stop(self) -> int:
        """Tell it to stop; the exit code."""
        self.http.close()
        return self.program.stop()

    @property
    def address(self) -> tuple[str, int]:
        url = httpx.URL(self.url)
        assert url.port is not None
        return url.host, url.port

    def refuses_connections(self) -> bool:
        """Whether nobody listens any more."""
        try:
            socket.create_connection(self.address, timeout=5).close()
        except ConnectionRefusedError:
            return True
        return False

    def group_body(self, number: str) -> dict[str, Any]:
        """A valid body for a new product group."""
        group = self.http.get("/api/v1/product-groups").json()["data"][0]
        accounts = ("domesticAccountId", "euAccountId", "abroadAccountId", "domesticWithoutVatAccountId")
        return {"number": number, "name": "Office Supplies", **{name: group[name] for name in accounts}}

    def group_numbers(self) -> set[str]:
        """The numbers of the company's product groups."""
        answer = self.http.get("/api/v1/product-groups", params={"limit": 100})
        assert answer.status_code == 200, answer.text
        return {group["number"] for group in answer.json()["data"]}
