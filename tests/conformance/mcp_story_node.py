"""`make mcp-story-node`: an application with the TypeScript client of MCP, from being let in to money.

The story of `tests/stories/test_agent_quote_to_cash.py` by another client, `mcp_story.mjs`, whose member this is. A
command of its own: Node, npm and its registry are not on every machine that the tests run on.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, cast

from tests import patient
from tests.members import Member
from tests.platform.servers import end
from tests.runtime.processes import Served, cli, today
from tests.stories.harness.agents import actor_of, journal_of, new_people, set_up_shop

_PACKAGE: Final = "@modelcontextprotocol/sdk@1.32.2"


def main() -> None:
    """Tell the story; ends with status 1 where something is not as it should be, and without Node and npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        sys.exit("node and npm are needed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        install = [npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", _PACKAGE]
        subprocess.run(install, cwd=folder, check=True)
        shutil.copy(Path(__file__).with_name("mcp_story.mjs"), folder)
        data = folder / "data"
        try:
            asyncio.run(_story(node, folder, data))
        finally:
            end(data)
    print(f"{_PACKAGE}: let in, from a quote to money by tools, approved, replayed, revoked")


async def _story(node: str, folder: Path, data: Path) -> None:
    async with AsyncExitStack() as stack:
        served = await asyncio.to_thread(Served.start, data, folder)
        stack.callback(served.stop)
        company = cast("str", served.company)
        mette, ib = await new_people(stack, served, data)
        set_up_shop(served)
        application = await asyncio.create_subprocess_exec(
            node, "mcp_story.mjs", f"{served.url}/api/v1/mcp", today(), cwd=folder,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(patient.PATIENCE * 2):
                await _is_member(application, company, mette, ib)
        finally:
            if application.returncode is None:
                application.kill()
            await application.wait()
        user = actor_of(mette, company, data)
        assert journal_of(served) == [
            (1, today(), {6190: "375.00", 1010: "-300.00", 7680: "-75.00"}, user),
            (2, today(), {6480: "200.00", 6190: "-200.00"}, user),
            (3, today(), {6190: "11250.00", 1010: "-9000.00", 7680: "-2250.00"}, user),
        ]
        verified = cli("verify", "--data-dir", data)
        assert verified.returncode == 0, verified.stdout


async def _is_member(application: asyncio.subprocess.Process, company: str, mette: Member, ib: Member) -> None:
    """Do what the application asks its member for, until it is done."""
    assert application.stdout is not None
    assert application.stdin is not None
    asked = 0
    while said := await application.stdout.readline():
        match json.loads(said):
            case {"open": address} if not asked:
                asked += 1
                await mette.lets_in(address, company, "full")
            case {"open": address}:
                await mette.refuses(address, company)
            case {"approve": address}:
                await ib.approves(address)
            case {"revoke": client}:
                await mette.takes_back(company, client)
            case {"done": True}:
                break
        application.stdin.write(b"done\n")
    assert await application.wait() == 0


if __name__ == "__main__":
    main()
