"""The short form of `make fuzz`: a fixed seed, a bounded time, every operation."""

from tests.fuzz.run import fuzz


def test_schemathesis_finds_no_server_error_and_no_answer_outside_its_schema() -> None:
    result = fuzz(max_time=60, max_examples=3, seed=1)
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-6000:]
