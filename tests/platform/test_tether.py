"""A program that was started on a lifeline ends with who started it, and so does what it started itself."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.platform.servers import wait_for
from tests.runtime.processes import is_alive

from ledgerbee.platform import tether

#: Writes down its own process and that of a child of its, then stays.
_STAYS = 'sleep 600 & echo $! > "$1/child"; echo $$ > "$1/program"; while kill -0 $!; do wait; done'
_DEAF = "trap '' TERM; " + _STAYS
_FUNCTIONS = {
    "run": "tether.run(command, environment=os.environ)",
    "run_in_foreground": "tether.run_in_foreground(command, environment=os.environ)",
}


def _numbers(folder: Path) -> list[int]:
    return [int((folder / name).read_text() or 0) for name in ("program", "child") if (folder / name).exists()]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[int]]:
    """The processes that a test has started through others: what is left of them is ended."""
    found: list[int] = []
    yield found
    for pid in found:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)


def _start(function: str, script: str, folder: Path, started: list[int], before: str = "") -> "subprocess.Popen[str]":
    body = (
        "import os, sys\nfrom ledgerbee.platform import tether\ncommand = ['/bin/sh', '-c', *sys.argv[1:]]\n"
        f"{before}try:\n    {_FUNCTIONS[function]}\nexcept KeyboardInterrupt:\n    sys.exit(9)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", body, script, "sh", folder], text=True, process_group=0)
    wait_for(lambda: len([number for number in _numbers(folder) if number]) == 2)
    started += _numbers(folder)
    return parent


@pytest.mark.parametrize("script", [_STAYS, _DEAF], ids=["heeds", "does not heed"])
@pytest.mark.parametrize("function", list(_FUNCTIONS))
def test_killed_it_takes_its_program_along(function: str, script: str, tmp_path: Path, started: list[int]) -> None:
    parent = _start(function, script, tmp_path, started)
    parent.kill()
    parent.wait()
    program, child = started
    wait_for(lambda: not is_alive(program))
    if function == "run":  # at a terminal what the person starts there is the person's
        wait_for(lambda: not is_alive(child))


def test_a_ctrl_c_ends_the_program_too(tmp_path: Path, started: list[int]) -> None:
    parent = _start("run", _STAYS, tmp_path, started)
    parent.send_signal(signal.SIGINT)
    assert parent.wait() == 9
    assert [pid for pid in started if is_alive(pid)] == []


def test_a_ctrl_c_at_a_console_is_the_consoles(tmp_path: Path, started: list[int]) -> None:
    """As of psql, which ends the query and goes on: all of the terminal's group hear it."""
    heard = "trap 'touch \"$1/heard\"' INT; "
    parent = _start("run_in_foreground", heard + _STAYS, tmp_path, started)
    os.killpg(parent.pid, signal.SIGINT)
    wait_for((tmp_path / "heard").exists)
    assert is_alive(started[0])
    assert parent.poll() is None
    parent.kill()
    parent.wait()
    wait_for(lambda: not is_alive(started[0]))


@pytest.mark.parametrize("function", list(_FUNCTIONS))
def test_a_program_ends_when_its_parent_is_told_to(function: str, tmp_path: Path, started: list[int]) -> None:
    body = "import signal\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
    parent = _start(function, _STAYS, tmp_path, started, before=body)
    parent.terminate()
    assert parent.wait() == 3
    assert not is_alive(started[0])


def test_what_a_program_says_and_ends_with_comes_back(tmp_path: Path) -> None:
    done = tether.run(["/bin/cat"], stdin="æ", environment=os.environ)
    assert (done.stdout, done.stderr) == ("æ", "")
    (tmp_path / "text").write_text("of a file")
    with (tmp_path / "text").open("rb") as file:
        assert tether.run(["/bin/cat"], stdin=file, environment=os.environ).stdout == "of a file"
    assert tether.run(["/bin/sh", "-c", "echo $MARK"], environment={"MARK": "set"}).stdout == "set\n"
    with pytest.raises(subprocess.CalledProcessError) as failed:
        tether.run(["/bin/sh", "-c", "echo said >&2; exit 7"], environment={})
    assert (failed.value.returncode, failed.value.stderr) == (7, "said\n")
    assert tether.run_in_foreground(["/bin/sh", "-c", "kill -9 $$"], environment={}) == 128 + 9


def test_a_program_that_can_not_be_started_is_named(tmp_path: Path) -> None:
    (tmp_path / "program").write_text("no program")
    with pytest.raises(subprocess.CalledProcessError) as failed:
        tether.run([tmp_path / "program"], environment={})
    assert failed.value.stderr == f"error: {tmp_path / 'program'}: Permission denied\n"
