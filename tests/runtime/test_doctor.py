"""`ledgerbee doctor`: each thing that can be wrong is one line with its level and what to do."""

import asyncio
import json
import re
import socket
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.engine import make_url
from tests.conftest import with_database
from tests.platform.servers import value
from tests.runtime.processes import PROGRAM, cli, environment, wait_for
from tests.runtime.test_unusable_databases import listening, old_server

from ledgerbee import embedded as postgres
from ledgerbee.embedded.parts import part_in
from ledgerbee.platform.blobs.marker import MARKER, Identity, claim
from ledgerbee.platform.secrets import SecretBox, new_key

SECRET = "hemmelig-kode"
#: An endpoint with that secret, of a company that is nobody's.
ENDPOINT = """
WITH known AS (
    INSERT INTO webhook_companies (company_id) VALUES ('0195d0a0-0000-7000-8000-000000000000') ON CONFLICT DO NOTHING)
INSERT INTO webhook_endpoints (company_id, id, url, topics, signature_type, secret, status, status_changed_at,
                               told_up_to, created_at, updated_at)
VALUES ('0195d0a0-0000-7000-8000-000000000000', gen_random_uuid(), 'https://example.com', '{{ping}}', 'v1', '{secret}',
        'enabled', now(), 0, now(), now())
"""


def examined(*options: str | Path, **variables: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit status, and what was found by check; of several findings of one check the worst."""
    done = cli("doctor", "--json", *options, **variables)
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stdout + done.stderr
    levels = ["OK", "WARN", "FAIL"]
    checks = sorted(json.loads(done.stdout)["checks"], key=lambda check: levels.index(check["level"]))
    assert all((check["remedy"] == "") == (check["level"] == "OK") for check in checks), checks
    assert json.loads(done.stdout)["passed"] == (done.returncode == 0)
    return done.returncode, {check["check"]: check for check in checks}


def block_of_new_key() -> str:
    """How the page on secret keys makes one."""
    page = (Path(__file__).parents[2] / "docs" / "operations" / "secret-keys.md").read_text()
    (block,) = re.findall(r"^(head -c 32 .*)$", page, re.MULTILINE)
    return str(block)


def test_a_working_installation(own_data: Path, own_folder: Path) -> None:
    code, found = examined("--data-dir", own_data)
    assert code == 0
    assert {name for name, check in found.items() if check["level"] == "OK"} >= {
        "settings", "database", "clock", "schema", "worker", "data folder", "attachments", "fonts", "disk",
    }  # fmt: skip
    assert found["backup"]["level"] == "WARN"
    assert found["mail"]["level"] == "WARN"
    assert "other databases" not in found
    left = [path.name for path in (own_data / "attachments").iterdir()]
    assert left == [MARKER]  # nothing of the probe
    assert cli("db", "backup", own_folder / "x.backup", "--data-dir", own_data).returncode == 0
    code, found = examined("--data-dir", own_data)
    assert (code, found["backup"]["level"]) == (0, "OK")
    assert f"on {socket.gethostname()}: {own_folder / 'x.backup'} (" in found["backup"]["text"]
    own_data.chmod(0o722)
    code, found = examined("--data-dir", own_data)
    assert code == 1
    assert "chmod go-w" in found["data folder"]["remedy"]


def test_a_folder_of_another_database_is_one_finding(own_data: Path, own_folder: Path) -> None:
    files = own_folder / "files"
    claim(files, Identity("1", "elsewhere"))
    done = cli("doctor", "--json", "--data-dir", own_data, LEDGERBEE_ATTACHMENTS_DIR=str(files))
    found = [check["level"] for check in json.loads(done.stdout)["checks"] if check["check"] == "attachments"]
    assert (done.returncode, found) == (1, ["FAIL"])


def test_what_a_killed_backup_left_is_named_and_goes_with_the_next(own_data: Path, own_folder: Path) -> None:
    to = own_folder / "backups"
    to.mkdir()
    assert cli("db", "backup", to / "monday.backup", "--data-dir", own_data).returncode == 0
    program = subprocess.Popen(
        [PROGRAM, "db", "backup", to / "tuesday.backup", "--data-dir", own_data], env=environment()
    )
    wait_for(lambda: len(list(to.iterdir())) > 1 or program.poll() is not None)
    program.kill()
    assert program.wait() == -9
    left = [path for path in to.iterdir() if path.name.startswith(".")]
    assert left
    with part_in(to) as live:
        foreign = [to / ".tuesday.backup.0a1b2c3d.part", to / ".ledgerbee-backup-notes.part"]
        for path in foreign:
            path.touch()
        code, found = examined("--data-dir", own_data)
        assert (code, found["backup"]["level"]) == (0, "WARN")
        assert all(f"{path} (" in found["backup"]["text"] for path in left)
        assert not any(str(path) in found["backup"]["text"] for path in (live, *foreign))
        done = cli("db", "backup", to / "wednesday.backup", "--data-dir", own_data)
        assert done.returncode == 0
        assert all(f"Removed {path} (" in done.stderr for path in left)
        assert {*to.iterdir()} == {to / "monday.backup", to / "wednesday.backup", live, *foreign}
    assert not live.exists()
    assert examined("--data-dir", own_data)[1]["backup"]["level"] == "OK"


def test_what_a_killed_restore_left_is_named_with_the_way_to_drop_it(own_data: Path) -> None:
    left = "ledgerbee_restored_0a1b2c3d", "ledgerbee_replaced_4e5f6a7b"
    with postgres.running(own_data) as server:
        for name in (*left, "ledgerbee_restored_notes"):
            value(server, f"CREATE DATABASE {name}")
        code, found = examined("--data-dir", own_data)
        assert (code, found["restore"]["level"]) == (0, "WARN")
        assert all(f"DROP DATABASE {name};" in found["restore"]["remedy"] for name in left)
        assert "notes" not in found["restore"]["text"]
        _, _, statements = found["restore"]["remedy"].partition("`ledgerbee db psql`: ")
        for statement in statements.split(";"):  # as it says
            assert value(server, statement) == ""
        assert "restore" not in examined("--data-dir", own_data)[1]


def test_the_last_backup_of_a_database_of_ones_own(migrated_database: str, server_url: str, own_folder: Path) -> None:
    """It is in the database: a doctor on another machine sees it too."""
    settings = {"DATABASE_URL": migrated_database}
    assert examined(**settings)[1]["backup"]["text"] == "none was made yet"
    reader = with_database(server_url, make_url(migrated_database).database or "")
    done = cli("db", "backup", own_folder / "x.backup", **settings, LEDGERBEE_DATABASE_BACKUP_URL=reader)
    assert done.returncode == 0, done.stderr
    found = examined(**settings)[1]["backup"]
    assert found["level"] == "OK"
    assert str(own_folder / "x.backup") in found["text"]
    asyncio.run(_execute(migrated_database, "UPDATE last_backup SET made_at = made_at - interval '3 days'"))
    assert "timer" in examined(**settings)[1]["backup"]["remedy"]


def test_the_lines_for_people_say_what_to_do(own_folder: Path) -> None:
    done = cli("doctor", "--data-dir", own_folder / "none", LEDGERBEE_POOLSIZE="3")
    assert done.returncode == 0
    assert "WARN  settings: LEDGERBEE_POOLSIZE is no setting and is ignored\n      -> Did you mean" in done.stdout
    assert "`ledgerbee serve` makes it." in done.stdout
    assert not (own_folder / "none").exists() or not (own_folder / "none" / "postgres").exists()


def test_settings_that_cannot_be_used() -> None:
    done = cli("doctor", "--json", LEDGERBEE_POOL_SIZE="many", SMTP_URL=f"mail:{SECRET}")
    assert done.returncode == 1
    texts = [check["text"] for check in json.loads(done.stdout)["checks"]]
    assert [text.partition(":")[0] for text in texts] == ["LEDGERBEE_POOL_SIZE", "SMTP_URL"]
    assert SECRET not in done.stdout


def _jobs_nobody_does(url: str) -> None:
    sql = """
        INSERT INTO pgqueuer (priority, entrypoint, payload, status, execute_after, created, updated)
        VALUES (0, 'housekeeping', '\\x7b7d', 'queued', now() - interval '1 hour', now(), now())
    """
    asyncio.run(_execute(url, sql))


def _newer(url: str) -> None:
    asyncio.run(_execute(url, "UPDATE alembic_version SET version_num = '9999_future'"))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("spoil", "check"), [(_jobs_nobody_does, "worker"), (_newer, "schema")], ids=["worker", "schema"]
)
def test_a_database_of_ones_own_with_a_fault(
    migrated_database: str, own_folder: Path, spoil: Callable[[str], None], check: str
) -> None:
    settings = {"DATABASE_URL": migrated_database, "LEDGERBEE_ATTACHMENTS_DIR": str(own_folder / "attachments")}
    assert examined(**settings)[1][check]["level"] == "OK"
    spoil(migrated_database)
    code, found = examined(**settings)
    assert (code, found[check]["level"]) == (1, "FAIL")


def test_a_database_of_ones_own_without_tables(own_database: str) -> None:
    _, found = examined(DATABASE_URL=own_database)
    assert found["schema"]["level"] == "WARN"
    assert examined(DATABASE_URL=own_database)[1]["schema"] == found["schema"]  # none were made


def test_other_databases_that_the_roles_may_enter(migrated_database: str, server_url: str) -> None:
    other = f"beside_{uuid.uuid4().hex}"
    asyncio.run(_execute(server_url, f"CREATE DATABASE {other}"))
    try:
        assert other in examined(DATABASE_URL=migrated_database)[1]["other databases"]["remedy"]
        asyncio.run(_execute(server_url, f"REVOKE CONNECT ON DATABASE {other} FROM PUBLIC"))
        assert other not in examined(DATABASE_URL=migrated_database)[1].get("other databases", {}).get("remedy", "")
    finally:
        asyncio.run(_execute(server_url, f"DROP DATABASE {other}"))


def test_roles_that_got_more_than_they_should_have(migrated_database: str, own_folder: Path) -> None:
    settings = {"DATABASE_URL": migrated_database, "LEDGERBEE_ATTACHMENTS_DIR": str(own_folder / "attachments")}
    url = make_url(migrated_database)
    assert "roles" not in examined(**settings)[1]
    asyncio.run(_execute(migrated_database, f"GRANT TEMPORARY ON DATABASE {url.database} TO PUBLIC"))
    assert "REVOKE TEMPORARY" in examined(**settings)[1]["roles"]["remedy"]
    assert cli("db", "migrate", **settings).returncode == 0
    assert "roles" not in examined(**settings)[1]
    itself = url.set(username="ledgerbee_app").render_as_string(hide_password=False)
    own = f"ALTER ROLE ledgerbee_app IN DATABASE {url.database} SET work_mem = '64kB'"
    asyncio.run(_execute(itself, own))
    assert "work_mem=64kB" in examined(**settings)[1]["roles"]["text"]


def test_what_cannot_be_reached(own_folder: Path) -> None:
    with listening(old_server) as port:
        code, found = examined(
            DATABASE_URL=f"postgresql://owner:{SECRET}@127.0.0.1:{port}/books",
            SMTP_URL=f"smtp://mailer:{SECRET}@127.0.0.1:9",
            LEDGERBEE_RATES_FETCH="true",
            LEDGERBEE_RATES_URL="http://127.0.0.1:9/rates.xml",
            LEDGERBEE_ATTACHMENTS_DIR="/dev/null/attachments",
        )
    assert code == 1
    levels = {name: check["level"] for name, check in found.items()}
    assert {name: levels[name] for name in ("database", "mail", "rates feed", "attachments")} == {
        "database": "FAIL",
        "mail": "FAIL",
        "rates feed": "WARN",
        "attachments": "FAIL",
    }
    assert "PostgreSQL 13" in found["database"]["text"]


async def test_the_server_is_told_by_its_own_version(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    version = await connection.fetchval("SHOW server_version")
    await connection.close()
    _, found = examined(DATABASE_URL=database_url, LEDGERBEE_RATES_FETCH="false")
    assert found["database"]["text"] == f"PostgreSQL {version} answers"


def test_the_keys_of_stored_secrets(own_data: Path) -> None:
    """Missing, of somebody else, of others to read; and one by one as `docs/operations/secret-keys.md` changes them."""
    key, older = (new_key() for _ in range(2))
    file = own_data / "secret.key"
    at = ("--data-dir", own_data)
    with postgres.running(own_data) as server:
        assert "secret keys" not in examined(*at)[1]
        assert not file.exists()  # it makes none
        for secret in (SecretBox(lambda: [key]).encrypt(b"whsec_x"), SecretBox(lambda: [older]).encrypt(b"whsec_y")):
            value(server, ENDPOINT.format(secret=secret.decode()))
        code, found = examined(*at)
        assert (code, found["secret keys"]["text"]) == (
            1, f"{file} is missing, and 2 stored secrets can't be read without it"
        )  # fmt: skip
        file.write_text(f"{key}\n")
        file.chmod(0o600)
        code, found = examined(*at)
        assert (code, found["secret keys"]["level"]) == (1, "FAIL")
        assert "1 of 2 stored secrets" in found["secret keys"]["text"]
        printed = subprocess.run(["/bin/sh", "-c", block_of_new_key()], capture_output=True, text=True, check=True)
        keys = f"{printed.stdout.strip()},{key},{older}"
        code, found = examined(*at, LEDGERBEE_SECRET_KEYS=keys)
        assert (code, found["secret keys"]["text"]) == (
            0,
            "all 2 stored secrets can be read, 2 of them by an older key",
        )
        code, found = examined(*at, LEDGERBEE_SECRET_KEYS=f"{key},{older}")
        assert (code, found["secret keys"]["text"]) == (
            0,
            "all 2 stored secrets can be read, 1 of them by an older key",
        )
        value(server, "TRUNCATE webhook_endpoints CASCADE")
        file.chmod(0o640)
        code, found = examined(*at)
        assert (code, found["secret keys"]["level"]) == (0, "WARN")
        assert found["secret keys"]["remedy"] == f"chmod 600 {file}"
        file.write_text("nonsense")
        assert examined(*at)[1]["secret keys"]["level"] == "FAIL"


def test_webhooks_to_this_machine_and_a_public_address_do_not_go_together(own_data: Path) -> None:
    at = ("--data-dir", own_data)
    both = {"LEDGERBEE_WEBHOOKS_ALLOW_LOOPBACK": "true", "LEDGERBEE_PUBLIC_URL": "https://books.example"}
    assert examined(*at, **both)[1]["webhooks"]["level"] == "WARN"
    for name in both:
        assert "webhooks" not in examined(*at, **{name: both[name]})[1]
