"""Schemathesis over the whole OpenAPI document, against a real server on a database of its own.

    python -m tests.fuzz.run --max-time 600

Looks for 5xx, answers outside their schema or status list, accepted nonsense, and authentication that is not
asked for. Paths name objects that are there, so that what lies behind a 404 is tried too. Exit code 0 when it
finds none. `tests/fuzz/test_fuzz.py` runs a short form with a fixed seed.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.support import Books, books, connect, server
from tests import patient
from tests.conftest import Api, SteeredClock
from tests.contract.world import make_world

from ledgerbee.app.config import Settings
from ledgerbee.app.main import create_app
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.app.secret_keys import secret_box
from ledgerbee.core.dates import system_clock
from ledgerbee.core.ids import new_id
from ledgerbee.platform.db import Database

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "ignored_auth",
    "unsupported_method",
)


def fuzz(max_time: int, max_examples: int, seed: int) -> "subprocess.CompletedProcess[str]":
    """Run Schemathesis for at most `max_time` seconds; its report is `stdout`, the server's faults are in `stderr`."""
    with (
        tempfile.NamedTemporaryFile(suffix=".log") as log,
        tempfile.NamedTemporaryFile("w", suffix=".toml") as config,
        books() as found,
        server(create_app, found.url, log=log.name) as port,
    ):
        config.write(asyncio.run(_ids(port, found)))
        config.flush()
        command = [
            str(Path(sys.executable).with_name("schemathesis")),
            "--config-file",
            config.name,
            "run",
            f"http://127.0.0.1:{port}/api/openapi.json",
            "--header",
            f"x-api-key: {found.key}",
            "--checks",
            ",".join(CHECKS),
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            str(max_examples),
            "--seed",
            str(seed),
            "--max-time",
            str(max_time),
            "--no-color",
            "--output-truncate",
            "false",
        ]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        faults = [line for line in Path(log.name).read_text().splitlines() if "request.failed" in line]
        result.stderr += "\n".join(json.loads(line)["exception"] for line in faults)
        return result


async def _ids(port: int, found: Books) -> str:
    """Schemathesis' configuration: ids of objects that are there, but for deletes, or they would soon be gone."""
    async with connect(port):
        pass
    database = await Database.open(found.url, reactions=REACTIONS, max_size=1)
    database.secrets = secret_box(Settings())
    clock = SteeredClock(system_clock())  # the server's
    try:
        async with patient.async_client(base_url=f"http://127.0.0.1:{port}") as client:
            world = await make_world(Api(client, found.company_id, found.key, database, clock))
    finally:
        await database.close()
    names = [name for name in world.ids if "." not in name]
    there = [f'"path.{name}" = "{world.ids[name]}"' for name in names]
    nobodys = [f'"path.{name}" = "{new_id()}"' for name in names]
    deletes = ["[[operations]]", 'include-method = "DELETE"', "[operations.parameters]", *nobodys]
    return "\n".join(['hooks = "tests.fuzz.forms"', "[parameters]", *there, *deletes])


def main() -> int:
    """The command line."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--max-time", type=int, default=60)
    arguments.add_argument("--max-examples", type=int, default=50)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    result = fuzz(given.max_time, given.max_examples, given.seed)
    print(result.stdout)
    print(result.stderr, file=sys.stderr)
    return result.returncode


if __name__ == "__main__":
    sys.exit(main())
