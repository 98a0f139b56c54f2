"""Programs of ours that start others of ours."""

import os
import re
import subprocess
import sys
from pathlib import Path

import ledgerbee


def test_nothing_is_imported_from_the_folder_that_the_program_is_started_in() -> None:
    """`python -m` looks there first, and finds what anybody has put there; `-P` keeps it from that."""
    sources = [file.read_text() for file in Path(ledgerbee.__file__).parent.rglob("*.py")]
    started = [line for source in sources for line in re.findall(r".*sys\.executable.*", source) if '"-m"' in line]
    assert len(started) >= 2
    assert [line for line in started if '"-P", "-m"' not in line] == []


#: A process of `serve` that does not stop when it is told to.
STUBBORN = """
import asyncio, sys
from ledgerbee.app import process

process.KILLED_AFTER_S = 0.1

async def work():
    process.Pipes("worker-1", int(sys.argv[1]), 2).watch(lambda: print("stop", flush=True))
    await asyncio.Event().wait()

asyncio.run(work())
"""


def test_a_process_whose_supervisor_is_gone_ends_though_it_waits_for_something() -> None:
    reader, writer = os.pipe()
    orphan = subprocess.Popen(
        [sys.executable, "-c", STUBBORN, str(reader)], pass_fds=[reader], stdout=subprocess.PIPE, text=True
    )
    os.close(reader)
    os.close(writer)
    said, _ = orphan.communicate()
    assert (said, orphan.returncode) == ("stop\n", 1)
