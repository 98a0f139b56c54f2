"""A command that a process starts which has it loaded says what it says when it is loaded anew."""

import socket
import subprocess
from pathlib import Path

import pytest
from tests.runtime.processes import PATIENCE, PROGRAM, environment, starter

NOBODY = "postgresql://nobody@127.0.0.1:9/books"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["version"], 0),
        (["db", "status", "--json"], 0),
        (["company", "create", "--help"], 0),
        (["nonsense"], 2),
        (["company", "list"], 1),
        (["serve", "--port", "0"], 1),
        (["report", "trial-balance", "--to", "yesterday"], 1),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_it_ends_and_says_the_same(
    arguments: list[str], code: int, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(own_folder)
    place = {} if arguments[0] == "db" else {"DATABASE_URL": NOBODY}
    variables = environment(**place, LEDGERBEE_DATA_DIR="relative", LEDGERBEE_POOLSIZE="7")
    command = [str(PROGRAM), *arguments]
    anew = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    copied = starter().run(command, variables, PATIENCE)
    assert copied.returncode == anew.returncode == code
    assert copied.stdout == anew.stdout
    assert _without_times(copied.stderr) == _without_times(anew.stderr)


def _without_times(errors: str) -> str:
    return "\n".join(line.partition('"timestamp":')[0] for line in errors.splitlines())


def test_one_that_takes_too_long_is_killed() -> None:
    """Its connection to a database that says nothing ends with it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        variables = environment(DATABASE_URL=f"postgresql://nobody@127.0.0.1:{listener.getsockname()[1]}/books")
        with pytest.raises(subprocess.TimeoutExpired):
            starter().run([str(PROGRAM), "company", "list"], variables, 2)
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(PATIENCE)
            while connection.recv(4096):
                pass
