"""A server that a fast shutdown does not end is stopped the harder ways, and has lost nothing."""

import os
import signal
from pathlib import Path

import pytest
from tests.platform.servers import is_up, value

from ledgerbee.platform import postgres
from ledgerbee.platform.postgres import cluster


def test_a_server_that_does_not_end_is_stopped_at_once(own_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its checkpointer stands still, so the fast shutdown waits for ever, as it does for a long replay of the log."""
    monkeypatch.setattr(cluster, "STOP_SECONDS", 0.5)
    server = postgres.ensure_running(own_dir)
    value(server, "CREATE TABLE kept (id int)", "INSERT INTO kept VALUES (7)")
    stuck = int(value(server, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"))
    os.kill(stuck, signal.SIGSTOP)
    postgres.stop(server)
    assert not is_up(own_dir)
    with postgres.running(own_dir) as again:
        assert value(again, "SELECT id FROM kept") == "7"
