"""The short form of `make fuzz`: a fixed seed, a bounded time, every operation."""

import subprocess
from pathlib import Path

from tests.fuzz.run import fuzz

ROOT = Path(__file__).parents[2]


def test_make_fuzz_can_start() -> None:
    told = subprocess.run(
        ["make", "--silent", "--dry-run", "fuzz"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    command = told.stdout.splitlines()[-1]
    started = subprocess.run([*command.split(), "--help"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert started.returncode == 0, started.stderr


def test_schemathesis_finds_no_server_error_and_no_answer_outside_its_schema() -> None:
    result = fuzz(max_time=45, max_examples=3, seed=1)
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-6000:]
