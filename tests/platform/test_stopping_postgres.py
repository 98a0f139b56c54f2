"""A server that a fast shutdown does not end is stopped the harder ways, and has lost nothing."""

import os
import signal
from pathlib import Path

import pytest
from tests.platform.servers import is_up, line, python, value, wait_for

from ledgerbee import embedded as postgres
from ledgerbee.embedded import cluster


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


def test_who_is_told_twice_to_stop_leaves_no_server_behind(own_dir: Path) -> None:
    """The second time while a fast shutdown is waited for that does not come to its end."""
    user = python(
        "import signal\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
        "with postgres.running(data_dir) as server:\n"
        "    print(server.pid)\n"
        "    time.sleep(600)\n",
        own_dir,
    )
    assert line(user)
    with postgres.running(own_dir) as seen:
        stuck = int(value(seen, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"))
    os.kill(stuck, signal.SIGSTOP)

    def fast_shutdowns() -> int:
        logs = (own_dir / "postgres" / "log").iterdir()
        return sum(path.read_text().count("received fast shutdown") for path in logs)

    before = fast_shutdowns()
    user.terminate()
    wait_for(lambda: fast_shutdowns() > before)
    assert user.poll() is None
    user.terminate()
    assert user.wait(30) == 3
    user.communicate()
    assert not is_up(own_dir)
    with postgres.running(own_dir) as again:
        assert value(again, "SELECT 7") == "7"
