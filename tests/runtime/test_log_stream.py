"""What `serve` and `ledgerbee worker` write to standard error where no terminal is: log lines, and nothing else."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests import patient
from tests.platform.servers import end
from tests.runtime.processes import PROGRAM, Program, Served, cli, environment, is_alive, wait_for

#: Says everything that Python and libraries may say on standard error, each in its own way.
_TALKS = """
import gc, logging, os, sys, threading, traceback, warnings
import typer
from ledgerbee.platform import logs
logs.capture_stderr()
{level}
class Grumbling:
    def __del__(self):
        raise LookupError("of a destructor")
print("printed", file=sys.stderr)
typer.secho("echoed", fg="red", err=True)
warnings.warn("of Python", UserWarning)
logging.getLogger("library").error("of %s %s", "a library")
logging.getLogger("library").warning("of a library")
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
Grumbling()
gc.collect()
try:
    int("x")
except ValueError:
    traceback.print_exc()
sys.stderr.write("half a ")
sys.stderr.write("line\\nand a whole one\\n")
raise KeyError("uncaught")
"""


def lines(errors: str) -> list[dict[str, Any]]:
    """The lines of a log: each one object of JSON with what every line has."""
    found = [json.loads(line) for line in errors.splitlines()]
    assert all({"event", "level", "timestamp"} <= set(line) for line in found), found
    return found


@pytest.mark.parametrize("level", ["INFO", "WARNING"])
def test_whatever_is_said_in_a_process_is_a_log_line(level: str) -> None:
    script = _TALKS.format(level=f"logs.configure({level!r})")
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", script], env=environment(), capture_output=True, text=True, check=False
    )
    said = lines(done.stderr)
    assert done.returncode == 1
    texts = [line["text"] for line in said if line["event"] == "stderr"]
    assert {"printed", "echoed", "half a line", "and a whole one"} <= set(texts)
    assert [line["event"] for line in said][-1] == "process.failed"
    assert "KeyError" in said[-1]["exception"]
    exceptions = " ".join(line["exception"] for line in said if "exception" in line)
    assert "ZeroDivisionError" in exceptions
    assert "of a destructor" in exceptions
    assert any(line.get("logger") == "py.warnings" and "of Python" in line["event"] for line in said)
    assert any(line.get("logger") == "library" and line["event"] == "of a library" for line in said)


def test_serve_from_its_first_start_to_its_end(own_folder: Path) -> None:
    """The database and the company are made, settings are warned of, requests fail, a process is killed."""
    served = Served.start(
        own_folder / "data",
        own_folder,
        LEDGERBEE_POOLSIZE="3",
        SMTP_URL="smtp://127.0.0.1:9",
        LEDGERBEE_POOL_SIZE="200",
        PYTHONWARNINGS="always",
    )
    try:
        assert served.http.get("/api/v1/company").status_code == 200
        of_json = {"content-type": "application/json"}
        assert served.http.post("/api/v1/accounts", content=b"\xff{", headers=of_json).status_code == 400
        assert patient.get(f"{served.url}/api/v1/company").status_code == 401
        assert patient.get(f"{served.url}/nowhere").status_code == 404
        worker = served.program.pid_of("worker")
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: served.program.pid_of("worker") != worker)
        served.program.wait_for_event("worker.started", 2)
    finally:
        assert served.stop() == 0
        end(own_folder / "data")
    said = lines(served.program.errors)
    assert {"process.started", "worker.started", "request", "process.ended"} <= {line["event"] for line in said}
    notes = " ".join(served.program.notes)
    assert "LEDGERBEE_POOLSIZE is no setting of ledgerbee and is ignored: LEDGERBEE_POOL_SIZE?" in notes
    assert "LEDGERBEE_MAIL_FROM is not set" in notes
    assert "lower LEDGERBEE_POOL_SIZE" in notes
    assert "PATCH /v1/company makes it yours" in notes


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["worker"]], ids=["serve", "worker"])
@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/books"}, "(DATABASE_URL) can't be used"),
        ({"LEDGERBEE_POOL_SIZE": "many", "SMTP_URL": "mail"}, "LEDGERBEE_POOL_SIZE: "),
        ({"LEDGERBEE_DATA_DIR": "/proc/1/nowhere"}, "/proc/1/nowhere"),
    ],
    ids=["database", "settings", "folder"],
)
def test_why_it_does_not_start_is_a_line_of_the_log(command: list[str], variables: dict[str, str], reason: str) -> None:
    done = cli(*command, **variables)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = lines(done.stderr)
    assert (line["event"], line["level"]) == ("command.failed", "error")
    assert reason in line["error"]


def test_a_process_that_cannot_be_loaded_is_told_in_the_log(own_data: Path, own_folder: Path) -> None:
    """As after half an installation: a package that the processes need is broken."""
    (own_folder / "broken").mkdir()
    (own_folder / "broken" / "uvloop.py").write_text("raise ImportError('libuv is of another machine')\n")
    command: list[str | Path] = [PROGRAM, "serve", "--port", "0", "--processes", "1", "--data-dir", own_data]
    program = Program.start(command, own_folder, PYTHONPATH=str(own_folder / "broken"))
    assert program.end() == 1
    said = lines(program.errors)
    assert (
        "libuv is of another machine" in next(line for line in said if line["event"] == "process.failed")["exception"]
    )
    assert said[-1]["event"] == "command.failed"


def test_a_worker_alone(own_database: str, own_folder: Path) -> None:
    command: list[str | Path] = [PROGRAM, "worker"]
    variables = {"DATABASE_URL": own_database, "SMTP_URL": "smtp://127.0.0.1:9", "LEDGERBEE_POOLSIZE": "3"}
    program = Program.start(command, own_folder, **variables)
    try:
        program.wait_for_event("worker.started")
    finally:
        assert program.stop() == 0
    assert len([line for line in lines(program.errors) if line["event"] == "note"]) == 2


def test_a_person_at_a_terminal_reads_words(own_data: Path) -> None:
    ours, terminal = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, "serve", "--port", "0", "--processes", "1", "--data-dir", own_data],
        env=environment(LEDGERBEE_POOLSIZE="3"),
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    )
    os.close(terminal)
    read = b""
    while b"worker.started" not in read and is_alive(process.pid):
        read += os.read(ours, 4096)
    process.terminate()
    while is_alive(process.pid):
        try:
            read += os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
    assert process.wait() == 0
    os.close(ours)
    assert b"LEDGERBEE_POOLSIZE is no setting of ledgerbee and is ignored: LEDGERBEE_POOL_SIZE?\r\n" in read
