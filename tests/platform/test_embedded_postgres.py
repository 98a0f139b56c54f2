"""The embedded PostgreSQL, on real binaries: it comes up whatever happened before and loses nothing it confirmed."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

import asyncpg
import pytest
from tests.platform.servers import is_up, kill, line, psql, python, value, wait_for

from ledgerbee import embedded as postgres
from ledgerbee.embedded import Server, State, accounts, cluster

OWNER_ONLY = 0o700
STATES = "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state"


class TestFirstStart:
    def test_makes_one_empty_database_and_one_role(self, fresh: Server) -> None:
        assert value(fresh, "SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolname !~ '^pg_'") == (
            "ledgerbee_owner"
        )
        databases = "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database"
        assert value(fresh, databases) == "ledgerbee postgres template0 template1"
        assert value(fresh, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == "0"

    def test_text_is_utf8_on_every_machine_and_pages_are_checked(self, fresh: Server) -> None:
        assert value(fresh, "SHOW server_encoding") == "UTF8"
        assert value(fresh, "SELECT lower('ÆØÅ')") == "æøå"
        assert value(fresh, "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{b,Z,å,a}'::text[]) x") == "Zabå"
        assert value(fresh, "SHOW data_checksums") == "on"

    def test_only_its_account_can_reach_it_and_there_is_no_tcp(self, fresh: Server) -> None:
        assert value(fresh, "SHOW listen_addresses") == ""
        for folder in (fresh.data_dir / "postgres", fresh.socket_dir):
            assert folder.stat().st_mode & 0o777 == OWNER_ONLY
            assert folder.stat().st_uid == (fresh.data_dir / "postgres" / "PG_VERSION").stat().st_uid != 0

    def test_safety_is_on_whatever_a_file_says(self, own_dir: Path) -> None:
        with (own_dir / "postgres" / "postgresql.auto.conf").open("a") as conf:
            conf.write("fsync = off\nlisten_addresses = '*'\nwork_mem = '7MB'\n")
        server = postgres.ensure_running(own_dir)
        assert value(server, "SHOW fsync") == "on"
        assert value(server, "SHOW listen_addresses") == ""
        assert value(server, "SHOW work_mem") == "7MB"

    def test_the_hosters_settings_win_over_ours(self, own_dir: Path) -> None:
        (own_dir / "postgres" / "custom.conf").write_text("max_connections = 33\n")
        server = postgres.ensure_running(own_dir)
        assert value(server, "SHOW max_connections") == "33"
        assert value(server, "SHOW jit") == "off"

    def test_it_logs_into_the_data_folder(self, data_dir: Path) -> None:
        server = postgres.ensure_running(data_dir)
        value(server, "SELECT 1 FROM no_such_table")
        logs = data_dir / "postgres" / "log"
        wait_for(lambda: any("no_such_table" in log.read_text() for log in logs.glob("*.log")))

    async def test_asyncpg_takes_the_connection_uri(self, fresh: Server) -> None:
        connection = await asyncpg.connect(fresh.dsn())
        try:
            who = await connection.fetchval("SELECT current_user || '@' || current_database()")
        finally:
            await connection.close()
        assert who == "ledgerbee_owner@ledgerbee"

    def test_two_at_once_make_one(self, new_dir: Path) -> None:
        body = "print(postgres.ensure_running(data_dir).pid)"
        processes = [python(body, new_dir) for _ in range(3)]
        pids = {process.communicate(timeout=60)[0].strip() for process in processes}
        assert pids == {str(postgres.ensure_running(new_dir).pid)}

    def test_killed_while_being_made_it_is_made_anew(self, new_dir: Path) -> None:
        process = python("postgres.ensure_running(data_dir)", new_dir)
        wait_for(lambda: list(new_dir.glob("postgres.new-*/base")))
        kill(process)
        assert postgres.status(new_dir).state is State.ABSENT
        server = postgres.ensure_running(new_dir)
        assert value(server, "SELECT 1") == "1"
        assert not list(new_dir.glob("postgres.new-*"))

    def test_a_path_too_long_for_a_socket(self, made: Path, reachable: Path) -> None:
        folder = reachable / ("long-" * 20) / "data"
        folder.parent.mkdir()
        folder.parent.chmod(0o711)
        subprocess.run(["cp", "-a", made, folder], check=True)
        with postgres.running(folder) as server:
            assert len(os.fsencode(server.socket_dir)) < 80
            assert server.socket_dir.stat().st_mode & 0o777 == OWNER_ONLY
            assert value(server, "SELECT 1") == "1"
            assert postgres.ensure_running(folder) == server
        postgres.stop(server)
        server.socket_dir.rmdir()

    def test_a_path_with_signs_that_mean_something_elsewhere(self, made: Path, reachable: Path) -> None:
        folder = reachable / "a, \"b\" 'c' %20"
        subprocess.run(["cp", "-a", made, folder], check=True)
        with postgres.running(folder) as server:
            assert value(server, "SELECT 1") == "1"
        shutil.rmtree(server.socket_dir)

    def test_a_socket_folder_that_someone_prepared_is_refused(self, own_dir: Path, reachable: Path) -> None:
        shutil.rmtree(own_dir / "run")
        (own_dir / "run").symlink_to(reachable)
        with pytest.raises(postgres.DataFolderError, match="Move it away"):
            postgres.ensure_running(own_dir)


class TestRecovery:
    def test_attaches_to_the_one_that_runs(self, data_dir: Path) -> None:
        first = postgres.ensure_running(data_dir)
        assert postgres.ensure_running(data_dir) == first

    def test_starts_again_after_a_stop_with_what_was_there(self, data_dir: Path) -> None:
        server = postgres.ensure_running(data_dir)
        value(server, "CREATE TABLE kept AS SELECT 42 AS n")
        postgres.stop(server)
        assert not is_up(data_dir)
        postgres.stop(server)  # once more changes nothing
        assert value(postgres.ensure_running(data_dir), "SELECT n FROM kept") == "42"

    def test_after_kill_of_the_server_the_committed_is_there(self, data_dir: Path) -> None:
        server = postgres.ensure_running(data_dir)
        value(server, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)")
        open_one = psql(server, stdin=subprocess.PIPE)
        assert open_one.stdin is not None
        open_one.stdin.write("BEGIN; INSERT INTO kept VALUES (2);\n")
        open_one.stdin.flush()
        wait_for(lambda: value(server, f"{STATES} = 'idle in transaction'") == "1")
        os.kill(server.pid, signal.SIGKILL)
        again = postgres.ensure_running(data_dir)
        open_one.communicate()
        assert again.pid != server.pid
        assert value(again, "SELECT array_agg(n) FROM kept") == "{1}"

    def test_after_kill_of_the_server_it_waits_for_backends_at_work(self, data_dir: Path) -> None:
        server = postgres.ensure_running(data_dir)
        backend = psql(server, "SELECT count(*) FROM generate_series(1, 6000000) WHERE 'busy' <> ''")
        wait_for(lambda: value(server, f"{STATES} = 'active' AND query ~ '[b]usy'") == "1")
        os.kill(server.pid, signal.SIGKILL)
        again = postgres.ensure_running(data_dir)
        assert "6000000" in backend.communicate()[0], "the busy one was not there any more: nothing was tested"
        assert value(again, "SELECT 1") == "1"

    def test_after_kill_of_whoever_started_it_the_server_goes_on(self, data_dir: Path) -> None:
        process = python("with postgres.running(data_dir) as server: print(server.pid); time.sleep(99)", data_dir)
        pid = int(line(process))
        kill(process)
        with postgres.running(data_dir) as server:
            assert server.pid == pid
            assert value(server, "SELECT 1") == "1"
        assert not is_up(data_dir)

    def test_after_kill_during_the_start_the_next_attaches(self, data_dir: Path) -> None:
        process = python("postgres.ensure_running(data_dir)", data_dir)
        wait_for((data_dir / "postgres" / "postmaster.pid").exists)
        kill(process)
        assert postgres.ensure_running(data_dir).pid == postgres.status(data_dir).pid

    def test_a_stale_pid_file_that_names_a_living_stranger(self, own_dir: Path) -> None:
        server = postgres.ensure_running(own_dir)
        os.kill(server.pid, signal.SIGKILL)
        pid_file = own_dir / "postgres" / "postmaster.pid"
        pid_file.write_text(pid_file.read_text().replace(str(server.pid), str(os.getpid()), 1))
        assert value(postgres.ensure_running(own_dir), "SELECT 1") == "1"

    def test_a_copy_of_a_running_folder_is_not_taken_for_the_original(self, own_dir: Path) -> None:
        original = postgres.ensure_running(own_dir)
        copy = own_dir.with_name("copy")
        subprocess.run(["cp", "-a", own_dir, copy], check=True)
        assert not is_up(copy)
        with postgres.running(copy) as server:
            assert server.pid != original.pid
            assert value(server, "SHOW data_directory") == str(copy / "postgres")
        assert is_up(own_dir)

    def test_a_server_started_by_hand_is_used_and_not_stopped(self, data_dir: Path) -> None:
        server = postgres.ensure_running(data_dir)
        postgres.stop(server)
        by_hand = _start_by_hand(server, f"-c unix_socket_directories={server.socket_dir} -c listen_addresses=")
        with postgres.running(data_dir) as server:
            assert server.pid == by_hand
        assert postgres.status(data_dir).pid == by_hand
        postgres.stop(server)
        assert not is_up(data_dir)

    def test_a_server_started_by_hand_without_our_socket_is_left_alone(
        self, own_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cluster, "LEFTOVER_SECONDS", 0.3)
        server = postgres.ensure_running(own_dir)
        postgres.stop(server)
        elsewhere = server.socket_dir.with_name("elsewhere")
        server.socket_dir.rename(elsewhere)
        by_hand = _start_by_hand(server, f"-c unix_socket_directories={elsewhere} -c listen_addresses=")
        elsewhere.rename(own_dir / "gone")
        with pytest.raises(postgres.StartError, match="still in use"):
            postgres.ensure_running(own_dir)
        pid_file = own_dir / "postgres" / "postmaster.pid"
        assert pid_file.read_text().split()[0] == str(by_hand)
        (own_dir / "gone").rename(elsewhere)
        assert postgres.ensure_running(own_dir).pid == by_hand


def _start_by_hand(server: Server, options: str) -> int:
    """Start with pg_ctl, as the account that owns the data; the process number."""
    cluster = server.data_dir / "postgres"
    owner = cluster.stat()
    as_root = os.geteuid() == 0
    start = ["start", "-w", "-s", "-D", str(cluster), "-l", str(cluster / "hand.log"), "-o", options]
    command = [str(server.bin_dir / "pg_ctl"), *start]
    subprocess.run(
        command,
        check=True,
        cwd="/",
        user=owner.st_uid if as_root else None,
        group=owner.st_gid if as_root else None,
        extra_groups=[] if as_root else None,
    )
    return int((cluster / "postmaster.pid").read_text().split()[0])


class TestSharing:
    def test_the_last_of_two_users_stops_it(self, data_dir: Path) -> None:
        with postgres.running(data_dir) as first:
            with postgres.running(data_dir) as second:
                assert second == first
            assert is_up(data_dir)
        assert not is_up(data_dir)

    def test_the_one_that_started_it_may_leave_first(self, data_dir: Path) -> None:
        process = python("with postgres.running(data_dir) as server: print(server.pid); sys.stdin.read()", data_dir)
        pid = int(line(process))
        with postgres.running(data_dir) as server:
            assert server.pid == pid
            process.communicate(timeout=20)
            assert process.returncode == 0
            assert postgres.status(data_dir).pid == pid
        assert not is_up(data_dir)

    def test_a_killed_user_counts_as_gone(self, data_dir: Path) -> None:
        process = python("with postgres.running(data_dir): print('in'); time.sleep(99)", data_dir)
        assert line(process) == "in"
        with postgres.running(data_dir):
            kill(process)
        assert not is_up(data_dir)

    def test_what_was_started_to_stay_stays(self, data_dir: Path) -> None:
        server = postgres.ensure_running(data_dir)
        with postgres.running(data_dir):
            pass
        assert postgres.status(data_dir).pid == server.pid

    def test_who_asks_for_it_to_stay_is_heard_after_the_start(self, data_dir: Path) -> None:
        with postgres.running(data_dir) as server:
            postgres.ensure_running(data_dir)
        assert postgres.status(data_dir).pid == server.pid

    def test_it_is_stopped_when_its_use_ends_in_an_error(self, data_dir: Path) -> None:
        with pytest.raises(ZeroDivisionError), postgres.running(data_dir):
            raise ZeroDivisionError
        assert not is_up(data_dir)

    def test_many_come_and_go_at_once(self, data_dir: Path) -> None:
        answers: list[str] = []

        def use() -> None:
            for _ in range(4):
                with postgres.running(data_dir) as server:
                    answers.append(value(server, "SELECT 'up'"))

        threads = [threading.Thread(target=use) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == ["up"] * 12
        assert not is_up(data_dir)

    def test_a_second_serve_is_told_who_is_first(self, new_dir: Path) -> None:
        first = python("with postgres.serve_lock(data_dir): print('in'); time.sleep(99)", new_dir)
        assert line(first) == "in"
        with pytest.raises(postgres.AlreadyServing, match=f"process {first.pid}") as refused, _serving(new_dir):
            pass
        assert refused.value.pid == first.pid
        kill(first)
        with _serving(new_dir):
            pass

    def test_status_tells_who_serves(self, data_dir: Path) -> None:
        assert postgres.status(data_dir).serving is None
        with postgres.serve_lock(data_dir):
            assert postgres.status(data_dir).serving == os.getpid()
        assert postgres.status(data_dir).serving is None


_serving = postgres.serve_lock


class TestStatus:
    def test_looking_makes_nothing(self, new_dir: Path) -> None:
        assert postgres.status(new_dir) == postgres.Status(State.ABSENT, None, 0, None, None)
        assert not new_dir.exists()

    def test_stopped_and_running(self, data_dir: Path) -> None:
        stopped = postgres.status(data_dir)
        assert stopped.state is State.STOPPED
        assert stopped.pid is None
        assert stopped.size > 20_000_000
        with postgres.running(data_dir) as server:
            status = postgres.status(data_dir)
            assert (status.state, status.pid, status.version) == (State.RUNNING, server.pid, stopped.version)


class TestRefusals:
    def test_a_folder_that_cannot_be_used_is_named(self, reachable: Path) -> None:
        """For root: one that the server's account can't enter. For others: one they can't write."""
        closed = Path(tempfile.mkdtemp(dir=reachable))
        closed.chmod(0o700 if os.geteuid() == 0 else 0o500)
        with pytest.raises(postgres.DataFolderError, match=f"{closed}.*Choose a --data-dir"):
            postgres.ensure_running(closed / "data")
        assert not list(closed.iterdir())
        closed.chmod(0o700)

    def test_root_keeps_its_data_where_the_server_can_go(self) -> None:
        folder = postgres.default_data_dir()
        assert folder.name == "ledgerbee"
        assert (folder == Path("/var/lib/ledgerbee")) == (os.geteuid() == 0)

    @pytest.mark.parametrize("owner", ["nobody", "root", "daemon"])
    def test_a_folder_with_something_else_in_it(self, new_dir: Path, owner: str) -> None:
        """Whoever owns it: it is never advised to give away files that are none of ours."""
        other = new_dir / "postgres"
        other.mkdir(parents=True, mode=0o700)
        (other / "letter.txt").write_text("dear")
        if os.geteuid() == 0:
            new_dir.chmod(0o711)
            shutil.chown(other, owner)
        with pytest.raises(postgres.DataFolderError, match=f"^{other} is not empty and is no PostgreSQL data.") as told:
            postgres.ensure_running(new_dir)
        assert "chown" not in str(told.value)
        assert (other / "letter.txt").read_text() == "dear"
        assert [path.name for path in new_dir.iterdir()] == ["postgres"]

    @pytest.mark.parametrize("content", ["PG_VERSION", None], ids=["data", "nothing yet"])
    def test_a_database_never_runs_as_an_account_of_strangers(
        self, new_dir: Path, content: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As `nobody` where root can give files to it, else with this account in its place."""
        cluster = new_dir / "postgres"
        cluster.mkdir(parents=True, mode=0o700)
        new_dir.chmod(0o711)
        if content:
            (cluster / content).write_text("18\n")
        if os.geteuid() == 0:
            shutil.chown(cluster, "nobody")
        else:
            monkeypatch.setattr(accounts, "SHARED", cluster.owner())
        with pytest.raises(
            postgres.DataFolderError, match=f"would run as {accounts.SHARED},.*chown -R ledgerbee {cluster}"
        ):
            postgres.ensure_running(new_dir)

    def test_data_of_another_version(self, own_dir: Path) -> None:
        (own_dir / "postgres" / "PG_VERSION").write_text("9\n")
        with pytest.raises(postgres.BinariesError, match="made by version 9"):
            postgres.ensure_running(own_dir)

    def test_a_server_that_does_not_come_up_says_why(self, own_dir: Path) -> None:
        (own_dir / "postgres" / "custom.conf").write_text("max_connections = many\n")
        with pytest.raises(postgres.StartError, match="max_connections"):
            postgres.ensure_running(own_dir)
        (own_dir / "postgres" / "custom.conf").write_text("")
        assert postgres.ensure_running(own_dir)

    def test_damaged_data_are_not_written_over(self, own_dir: Path) -> None:
        control = own_dir / "postgres" / "global" / "pg_control"
        control.write_bytes(b"\0" * control.stat().st_size)
        with pytest.raises(postgres.StartError, match="incompatible with server"):
            postgres.ensure_running(own_dir)
        assert not any(control.read_bytes())
