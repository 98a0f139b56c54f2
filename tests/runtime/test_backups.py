"""Backup and restore as an operator does them, while everything runs and into a new folder."""

import signal
import subprocess
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests import patient
from tests.attached import PDF
from tests.ledger_books import BANK, SALES
from tests.platform.servers import end, value
from tests.runtime.conftest import Made
from tests.runtime.processes import PROGRAM, Served, cli, cli_json, environment, refusal, today, wait_for

from ledgerbee import embedded as postgres


@dataclass(frozen=True)
class Voucher:
    """A file attached to a posted entry, and its address."""

    content: bytes
    url: str


@pytest.fixture(scope="session")
def voucher(served: Served, made: Made) -> Voucher:
    """Attached in the folder of the running `serve`."""

    headers = {"x-api-key": made.key}
    accounts = {row["accountNumber"]: row["id"] for row in served.http.get("/api/v1/accounts", headers=headers).json()}
    sides = ((BANK, "DEBIT"), (SALES, "CREDIT"))
    body = {
        "entryType": "JOURNAL_ENTRY",
        "date": today(),
        "originalAmount": "100.00",
        "lines": [{"accountId": accounts[number], "side": side, "amount": "100.00"} for number, side in sides],
        "attachments": [
            {"fileName": "faktura.pdf", "contentType": "application/pdf", "content": b64encode(PDF).decode()}
        ],
    }
    entry = served.http.post("/api/v2/journal-entries", json=body, headers=headers).json()
    (listed,) = served.http.get(f"/api/v1/journal-entries/{entry['id']}/attachments", headers=headers).json()
    found = Voucher(PDF, listed["url"])
    assert served.http.get(found.url, headers=headers).content == found.content
    return found


@pytest.fixture(scope="session")
def backup(voucher: Voucher, made: Made, reachable: Path) -> Path:
    """A backup made beside the running `serve`."""
    file = reachable / "company.backup"
    assert cli_json("db", "backup", file, "--data-dir", made.data_dir) == {
        "file": str(file),
        "sizeBytes": file.stat().st_size,
    }
    assert file.stat().st_mode & 0o077 == 0
    return file


def test_a_backup_becomes_a_working_system_in_a_new_folder(
    backup: Path, voucher: Voucher, made: Made, own_folder: Path
) -> None:
    data_dir = own_folder / "new"
    assert cli_json("db", "restore", backup, "--data-dir", data_dir) == {"file": str(backup), "verified": True}
    (company,) = cli_json("verify", "--data-dir", data_dir)["companies"]
    assert (company["passed"], company["attachments"]) == (True, 1)
    served = Served.start(data_dir, own_folder)
    try:
        assert served.company == made.company
        assert served.key == f"(ledgerbee api-key create --company {made.company} --scopes all)"  # not in a backup
        ours = {"x-api-key": made.key}
        assert patient.get(f"{served.url}/api/v1/accounts", headers=ours).status_code == 200
        assert patient.get(f"{served.url}{voucher.url}", headers=ours).content == voucher.content
        assert "Stop ledgerbee serve" in refusal("db", "restore", backup, "--data-dir", data_dir)
        made_group = patient.post(
            f"{served.url}/api/v1/product-groups", headers=ours, json=_group(served, ours, "LATER")
        )
        assert made_group.status_code == 201
        assert cli("db", "restore", backup, "--force", "--data-dir", data_dir).returncode == 0
        groups = patient.get(f"{served.url}/api/v1/product-groups", headers=ours).json()["data"]
        assert "LATER" not in {group["number"] for group in groups}
        again = patient.post(f"{served.url}/api/v1/product-groups", headers=ours, json=_group(served, ours, "LATER"))
        assert again.status_code == 201
    finally:
        assert served.stop() == 0
        end(data_dir)


def _group(served: Served, headers: dict[str, str], number: str) -> dict[str, str]:
    group = patient.get(f"{served.url}/api/v1/product-groups", headers=headers).json()["data"][0]
    accounts = ("domesticAccountId", "euAccountId", "abroadAccountId", "domesticWithoutVatAccountId")
    return {"number": number, "name": "Office Supplies", **{name: group[name] for name in accounts}}


def test_files_in_a_bucket_are_left_to_it(own_data: Path, own_folder: Path) -> None:
    file = own_folder / "company.backup"
    done = cli("db", "backup", file, "--data-dir", own_data, LEDGERBEE_ATTACHMENTS_BUCKET="vouchers")
    assert done.returncode == 0
    assert done.stderr.strip() == "Attached files are in the bucket vouchers: backups leave them to it."
    assert file.read_bytes().startswith(b"PGDMP")
    assert cli("db", "restore", file, "--data-dir", own_data).returncode == 0


def test_a_backup_of_something_else_never_replaces_the_data(own_data: Path, own_folder: Path) -> None:
    with postgres.running(own_data) as server:  # so that the commands need not start it
        companies = "SELECT count(*) FROM companies"
        before = value(server, companies)

        value(server, "CREATE TABLE set_aside AS SELECT * FROM alembic_version")
        value(server, "UPDATE alembic_version SET version_num = '9999_future'")
        newer = own_folder / "newer"
        postgres.backup(server, newer)
        value(server, "UPDATE alembic_version SET version_num = (SELECT version_num FROM set_aside)")
        said = refusal("db", "restore", newer, "--data-dir", own_data)
        assert said.startswith(f"The backup {newer} is of a newer release (schema 9999_future")

        value(server, "ALTER TABLE alembic_version RENAME TO elsewhere")
        foreign = own_folder / "foreign"
        postgres.backup(server, foreign)
        value(server, "ALTER TABLE elsewhere RENAME TO alembic_version")
        said = refusal("db", "restore", foreign, "--data-dir", own_data)
        assert said == f"The backup {foreign} is not one of a ledgerbee database."

        assert value(server, companies) == before
        assert value(server, "SELECT count(*) FROM pg_database WHERE datname LIKE 'ledgerbee%'") == "1"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_restore_that_is_told_to_stop_clears_up(own_data: Path, own_folder: Path, number: signal.Signals) -> None:
    """While it fills the fresh database: neither that nor the unpacked dump stays."""
    file = own_folder / "x.backup"
    assert cli("db", "backup", file, "--data-dir", own_data).returncode == 0
    names = "SELECT coalesce(string_agg(datname, ' '), '') FROM pg_database WHERE datname LIKE 'ledgerbee_re%'"

    def beside() -> str:
        """Asked from another database: a restore is refused while somebody is connected to ours."""
        address = server.dsn(database="postgres")
        command = [str(server.bin_dir / "psql"), "-XqAt", "-c", names, f"--dbname={address}"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    with postgres.running(own_data) as server:
        program = subprocess.Popen(
            [PROGRAM, "db", "restore", file, "--data-dir", own_data], env=environment(), stderr=subprocess.DEVNULL
        )
        wait_for(lambda: beside() or program.poll() is not None)
        assert program.poll() is None
        program.send_signal(number)
        assert program.wait() == 128 + number or (number == signal.SIGINT and program.returncode == 130)
        assert beside() == ""
    assert list(own_data.glob(".restore-*")) == []
    assert cli("db", "restore", file, "--data-dir", own_data).returncode == 0
