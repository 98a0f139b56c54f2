"""A disk without room, as a limit on the size of files has it: the server writes its log of changes no further."""

import resource
import subprocess
from pathlib import Path

from tests.platform.servers import is_up, value
from tests.runtime.processes import PATIENCE, PROGRAM, environment, refused

from ledgerbee import embedded as postgres

#: Bytes that files may have: less than a segment of the server's log of changes, which is 16 MiB.
_LIMIT = 4 * 1024**2


def _run(*command: str | Path) -> "subprocess.CompletedProcess[str]":
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (_LIMIT, _LIMIT))

    return subprocess.run(
        [PROGRAM, *command], env=environment(), capture_output=True, text=True, check=False, preexec_fn=limit,
        timeout=3 * PATIENCE,
    )  # fmt: skip


def test_no_room_for_the_first_start(new_dir: Path) -> None:
    done = _run("serve", "--port", "0", "--data-dir", new_dir)
    assert done.returncode == 1
    assert "The database could not be made in" in refused(done.stderr)
    assert list(new_dir.glob("postgres*")) == []


def test_no_room_for_the_first_tables(own_dir: Path) -> None:
    """It ends with the reason, leaves no server behind, loses nothing, and goes on when there is room."""
    with postgres.running(own_dir) as server:
        value(server, "CREATE TABLE kept AS SELECT 7 AS id")
        # On to where the next write into the log is beyond the limit.
        offset = "SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn) % 16777216"
        while not float(value(server, offset)) > _LIMIT:
            value(server, "SELECT pg_logical_emit_message(true, 'x', repeat('x', 500000))")
    done = _run("serve", "--port", "0", "--data-dir", own_dir)
    assert (done.returncode, done.stdout) == (1, "")
    said = refused(done.stderr)
    assert "File too large" in said
    assert not is_up(own_dir)
    examined = _run("doctor", "--data-dir", own_dir)
    assert examined.returncode == 1
    assert "FAIL  database: PostgreSQL breaks down again and again while it starts" in examined.stdout
    assert "File too large" in examined.stdout
    assert "log says:\n" not in examined.stdout
    assert not is_up(own_dir)
    with postgres.running(own_dir) as server:
        assert value(server, "SELECT id FROM kept") == "7"
