"""The guides work word for word, and again: their commands are run in a shell, against a real server."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from tests.runtime.processes import PROGRAM, Served, environment, wait_for

ROOT: Final = Path(__file__).parents[2]
GUIDES: Final = ROOT / "docs" / "guides"
#: Guides that are read in this order: each goes on with what those before it set.
SESSIONS: Final = (
    ("README.md", "invoices-and-payments.md", "deferred-revenue.md", "saved-cards.md", "payouts.md"),
    (
        "products-and-invoices.md",
        "quotes.md",
        "usage.md",
        "subscription-plans.md",
        "billing-runs.md",
        "metrics.md",
    ),
    ("authentication.md",),
    ("exchange-rates.md",),
    ("webhooks.md",),
    ("subscriptions.md",),
    ("test-clock.md",),
    ("journal-entries.md", "drafts.md", "dimensions-and-projects.md", "chart-of-accounts.md", "imports.md"),
)
#: Where a guide has a program of the reader's own listen: here, at a port that is free.
_OWN_PORT: Final = "127.0.0.1:3000"
#: What a guide says of an answer that is a refusal: `# 403: ...`, or `# 409 when run again`.
_ANNOUNCED: Final = re.compile(r"# (\d{3})( when run again)?")


@dataclass(frozen=True)
class Block:
    """Commands of a guide: what stands between fences that name no language."""

    where: str
    commands: str

    @property
    def announced(self) -> dict[int, bool]:
        """Statuses of refusals that it speaks of, and whether they come only when it is run again."""
        return {int(status): bool(again) for status, again in _ANNOUNCED.findall(self.commands)}


def blocks_of(guide: str) -> Iterator[Block]:
    """The commands of a guide; of the README those of its walk."""
    text = (ROOT / guide).read_text() if guide == "README.md" else (GUIDES / guide).read_text()
    if guide == "README.md":
        text = text.partition("## A first invoice")[2].partition("\n## ")[0]
    for number, found in enumerate(re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL), 1):
        if not found[1]:
            yield Block(f"{guide}:{number}", found[2])


def programs_of(guide: str) -> dict[str, str]:
    """The programs of a guide that a reader saves, by their names: `..., as `receiver.py`:`."""
    found = re.finditer(r"as `([\w.]+)`:\n\n```\w+\n(.*?)^```$", (GUIDES / guide).read_text(), re.MULTILINE | re.DOTALL)
    return {one[1]: one[2] for one in found}


def script_of(session: tuple[str, ...], served: Served, own_port: int) -> str:
    """Everything that a reader types, with the server's address and key; each block says when it begins."""
    lines = ["set -u", "trap 'kill $(jobs -p) 2> /dev/null || :' EXIT", "trap 'echo \"FAILED $BASH_COMMAND\" >&2' ERR"]
    for guide in session:
        for block in blocks_of(guide):
            lines += [f"echo 'BLOCK {block.where}' >&2", block.commands]
    text = "\n".join(lines).replace("http://127.0.0.1:8000", served.url)
    text = text.replace(_OWN_PORT, f"127.0.0.1:{own_port}")
    assert served.key is not None
    return text.replace("lb_...", served.key)


@pytest.fixture
def shell(own_folder: Path) -> Path:
    """A folder for the PATH with a `curl` that also tells the status of each answer."""
    folder = own_folder / "bin"
    folder.mkdir()
    curl = folder / "curl"
    told = "%{stderr}STATUS %{http_code} %{method} %{url}\\n"
    curl.write_text(f"#!/bin/sh\nexec {shutil.which('curl')} \"$@\" -w '{told}'\n")
    curl.chmod(0o755)
    return folder


def failures(told: str) -> dict[str, list[str]]:
    """Commands that failed, by their block."""
    found: dict[str, list[str]] = {}
    block = ""
    for line in told.splitlines():
        if line.startswith("BLOCK "):
            block = line
        elif line.startswith("FAILED "):
            found.setdefault(block.removeprefix("BLOCK "), []).append(line)
    return found


def refusals(told: str) -> dict[str, list[tuple[int, str]]]:
    """Answers of 400 and above, by the block that asked."""
    found: dict[str, list[tuple[int, str]]] = {}
    block = ""
    for line in told.splitlines():
        if line.startswith("BLOCK "):
            block = line.removeprefix("BLOCK ")
            found[block] = []
        elif (answer := re.match(r"STATUS (\d+) (.*)", line)) and int(answer[1]) >= 400:
            found[block].append((int(answer[1]), answer[2]))
    return found


def next_second() -> None:
    """Wait until the clock shows another second."""
    now = int(time.time())
    wait_for(lambda: int(time.time()) > now)


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session[-1])
def test_a_guide_works_word_for_word_and_again(
    session: tuple[str, ...], serve_own: Callable[..., Served], own_data: Path, own_folder: Path, shell: Path
) -> None:
    served = serve_own()
    path = os.pathsep.join([str(shell), str(PROGRAM.parent), os.environ["PATH"]])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        own_port = taken.getsockname()[1]
    variables = environment(PATH=path, LEDGERBEE_DATA_DIR=str(own_data), PORT=str(own_port))
    for name, program in (one for guide in session if guide != "README.md" for one in programs_of(guide).items()):
        (own_folder / name).write_text(program)
    for run in ("first", "second"):
        script = script_of(session, served, own_port)
        next_second()  # the guides make new numbers of it, and nobody types so fast that there is none between
        done = subprocess.run(
            ["bash", "-c", script], cwd=own_folder, env=variables, capture_output=True, text=True, check=False
        )
        refused, failed = refusals(done.stderr), failures(done.stderr)
        for guide in session:
            for block in blocks_of(guide):
                found = refused[block.where]
                allowed = run == "second" and "# refused when run again" in block.commands
                assert allowed or not failed.get(block.where), (run, block.where, done.stderr, done.stdout[-3000:])
                unannounced = [answer for answer in found if answer[0] not in block.announced]
                assert unannounced == [], (run, block.where, done.stdout[-3000:])
                for status, again in block.announced.items():
                    expected = not again or run == "second"
                    assert expected == (status in {answer[0] for answer in found}), (run, block.where, status)


def test_every_guide_is_run() -> None:
    run = {guide for session in SESSIONS for guide in session}
    silent = {guide.name for guide in GUIDES.glob("*.md") if not list(blocks_of(guide.name))}
    assert {guide.name for guide in GUIDES.glob("*.md")} == run - {"README.md"} | silent


def test_every_guide_is_listed() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [guide.name for guide in GUIDES.glob("*.md") if f"docs/guides/{guide.name}" not in readme] == []
