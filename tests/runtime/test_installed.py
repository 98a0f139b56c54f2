"""As an operator installs it: the wheel with run-time packages only, and the unit's sandbox."""

import json
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from tests import patient
from tests.platform.servers import end
from tests.runtime.confined import place_beside
from tests.runtime.processes import PROGRAM, Program, environment, wait_for

from ledgerbee import __version__

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs" / "operations"
UNITS = ("ledgerbee.service", "ledgerbee-backup.service", "ledgerbee-backup.timer")
#: What only tests, the demo or development need: none of it may come with an installation.
TOOLS = ("pytest", "hypothesis", "aiosmtpd", "moto", "schemathesis", "mypy", "ruff", "beancount", "flask", "pypdf")


def run_time_packages() -> dict[str, Distribution]:
    """The packages that the project's run-time dependencies bring, by their names, as they are installed here."""
    found: dict[str, Distribution] = {}
    waiting = [Requirement(text) for text in distribution("ledgerbee").requires or []]
    waiting = [wanted for wanted in waiting if not wanted.marker or wanted.marker.evaluate({"extra": ""})]
    while waiting:
        wanted = waiting.pop()
        package = distribution(wanted.name)
        new = package.metadata["Name"] not in found
        found[package.metadata["Name"]] = package
        for text in package.requires or [] if new or wanted.extras else []:
            needed = Requirement(text)
            extras = [""] if not wanted.extras else ["", *wanted.extras]
            wanted_here = not needed.marker or any(needed.marker.evaluate({"extra": extra}) for extra in extras)
            if wanted_here and (needed.name not in found or needed.extras):
                waiting.append(needed)
    return found


@pytest.fixture(scope="module")
def installed() -> Iterator[Path]:
    """A virtual environment with the wheel, built here, and nothing but run-time packages: its `bin` folder."""
    folder = Path(tempfile.mkdtemp(prefix="lb-installed-", dir="/var/tmp"))
    folder.chmod(0o755)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "dist"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    venv.create(folder / "venv", symlinks=True, with_pip=False)
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    for package in run_time_packages().values():
        for top in {file.parts[0] for file in package.files or [] if file.parts[0] not in {"..", "__pycache__"}}:
            source = Path(str(package.locate_file(top)))
            if source.exists() and not (site / top).exists():
                (site / top).symlink_to(source)
    (wheel,) = (folder / "dist").glob("*.whl")
    subprocess.run(
        [
            PROGRAM.with_name("uv"),
            "pip",
            "install",
            "--offline",
            "--no-deps",
            "--python",
            folder / "venv/bin/python",
            wheel,
        ],
        check=True,
        capture_output=True,
    )
    yield folder / "venv" / "bin"
    shutil.rmtree(folder)


def test_no_tool_of_tests_comes_along(installed: Path) -> None:
    names = {re.sub("[-_.]+", "-", name).lower() for name in run_time_packages()}
    assert not names & set(TOOLS)
    check = f"import importlib.util as u; print([t for t in {TOOLS} if u.find_spec(t)])"
    done = subprocess.run([installed / "python", "-c", check], capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.strip() == "[]"


def test_every_run_time_package_has_its_line_in_the_guide() -> None:
    guide = (OPERATIONS / "installing.md").read_text()
    told = set(re.findall(r"`([a-z0-9-]+)`", guide[guide.index("## What comes along") :]))
    direct = {Requirement(text).name for text in distribution("ledgerbee").requires or [] if "extra ==" not in text}
    assert direct - told == set()


def test_the_guide_makes_its_files_before_it_uses_them() -> None:
    guide = (OPERATIONS / "installing.md").read_text()
    blocks = [
        block for block in re.findall(r"^```\n(.*?)^```", guide, re.MULTILINE | re.DOTALL) if "pip install" in block
    ]
    assert len(blocks) == 2  # the first time, and a new release
    for block in blocks:
        assert 0 <= block.find("> run-time.txt") < block.index("--constraint run-time.txt")
        assert "dist/ledgerbee-*.whl" in block
    unit = (OPERATIONS / "ledgerbee.service").read_text()
    (looked,) = re.findall(r"^systemd-run .*$", guide, re.MULTILINE)
    for setting in re.findall(r"^Environment=(.+)$", unit, re.MULTILINE):
        assert f"--setenv={setting} " in looked


def test_the_installed_program_works(installed: Path, reachable: Path) -> None:
    done = subprocess.run(
        [installed / "ledgerbee", "--version"], env=environment(), capture_output=True, text=True, check=True, cwd="/"
    )
    assert done.stdout.strip() == __version__
    done = subprocess.run(
        [installed / "ledgerbee", "demo"], env=environment(), capture_output=True, text=True, check=False, cwd="/"
    )
    assert (done.returncode, done.stderr) == (
        1,
        "error: The demo mails to a server of its own: pip install 'ledgerbee[demo]'.\n",
    )
    folder = Path(tempfile.mkdtemp(dir=reachable))
    folder.chmod(0o711)
    command: list[str | Path] = [installed / "ledgerbee", "serve", "--port", "0", "--processes", "1"]
    program = Program.start([*command, "--data-dir", folder / "data"], folder)
    try:
        _answers(program)
    finally:
        assert program.stop() == 0
        end(folder / "data")


def _answers(program: Program) -> None:
    def url() -> str | None:
        assert program.process.poll() is None, program.errors
        found = re.search(r"^Reference\s+(\S+)/docs$", program.out, re.MULTILINE)
        return found[1] if found else None

    address = wait_for(url)
    assert patient.get(f"{address}/readyz").status_code == 200
    assert patient.get(f"{address}/docs").status_code == 200
    assert patient.get(f"{address}/api/openapi.json").json() == json.loads((ROOT / "docs/openapi.json").read_text())


def unit(file: str = "ledgerbee.service") -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (OPERATIONS / file).read_text().splitlines():
        name, sign, text = line.partition("=")
        if sign and not line.startswith("#"):
            found.setdefault(name, []).append(text)
    return found


def test_the_page_shows_the_unit_as_it_is() -> None:
    assert f"```ini\n{(OPERATIONS / 'ledgerbee.service').read_text()}```" in (OPERATIONS / "running.md").read_text()


@pytest.mark.parametrize("name", UNITS)
def test_units_name_only_what_systemd_knows(name: str, tmp_path: Path) -> None:
    """By systemd's own judgement where it is installed; everywhere, by the names that are used and their sections."""
    text = (OPERATIONS / name).read_text()
    sections = re.findall(r"^\[(\w+)\]$", text, re.MULTILINE)
    assert set(sections) <= {"Unit", "Service", "Timer", "Install"}
    assert all(re.fullmatch(r"[A-Z]\w+=.*|\[\w+\]|#.*|", line) for line in text.splitlines())
    if shutil.which("systemd-analyze"):
        for unit_name in UNITS:
            copy = (OPERATIONS / unit_name).read_text().replace("/opt/ledgerbee/venv/bin/ledgerbee", str(PROGRAM))
            (tmp_path / unit_name).write_text(copy)
        done = subprocess.run(
            ["systemd-analyze", "verify", tmp_path / name], capture_output=True, text=True, check=False, timeout=60
        )
        assert [line for line in done.stderr.splitlines() if name in line] == []


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_what_a_unit_writes_is_its_accounts_alone(name: str) -> None:
    facts = unit(name)
    assert facts["User"] == facts["Group"] == ["ledgerbee"]
    assert facts["StateDirectoryMode"] == ["0700"]
    assert facts["UMask"] == ["0077"]
    folders = {f"/var/lib/{folder}" for folder in facts["StateDirectory"][0].split()}
    written = re.findall(r"/var/lib/[\w-]+", " ".join([*facts["ExecStart"], *facts["Environment"]]))
    assert set(written) == folders


def test_the_backup_unit_writes_a_file_per_weekday_for_its_owner_only(own_data: Path, own_folder: Path) -> None:
    """Its command, under an account that lets everybody read what it writes."""
    (line,) = unit("ledgerbee-backup.service")["ExecStart"]
    backups = own_folder / "backups"
    backups.mkdir(mode=0o700)
    for printed, own in {
        "/opt/ledgerbee/venv/bin/ledgerbee": PROGRAM,
        "/var/lib/ledgerbee-backups": backups,
        "%%": "%",
    }.items():
        assert printed in line
        line = line.replace(printed, str(own))
    for _ in range(2):
        done = subprocess.run(
            ["/bin/sh", "-c", f"umask 000; exec {line}"],
            env=environment(LEDGERBEE_DATA_DIR=str(own_data)),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        (file,) = backups.iterdir()
        assert re.fullmatch(r"\w{3}\.backup", file.name)
        assert file.stat().st_mode & 0o777 == 0o600


def test_the_unit_starts_in_its_sandbox(reachable: Path) -> None:
    """Its command line with its environment; as root in the same confinement, else as this account without a home."""
    facts = unit()
    assert facts["ProtectSystem"] == ["strict"]
    assert facts["PrivateTmp"] == facts["ProtectHome"] == ["yes"]
    state = Path(tempfile.mkdtemp(prefix="lb-state-", dir="/var/tmp"))
    command = facts["ExecStart"][0].replace("--port 8000", "--port 0").split()
    assert command[0] == "/opt/ledgerbee/venv/bin/ledgerbee"
    variables = dict(text.split("=", 1) for text in facts["Environment"])
    at = {name: value.replace("/var/lib/ledgerbee", str(state)) for name, value in variables.items()}
    at["XDG_CACHE_HOME"] = str(state / "cache")
    sandbox: list[str | Path] = []
    if os.geteuid() == 0:
        account = next(entry for entry in pwd.getpwall() if entry.pw_name in {"postgres", "daemon"} and entry.pw_uid)
        os.chown(state, account.pw_uid, account.pw_gid)
        sandbox = [sys.executable, "-m", "tests.runtime.confined", account.pw_name, state]
    output = Path(tempfile.mkdtemp(dir=reachable))
    program = Program.start([*sandbox, PROGRAM, *command[1:], "--processes", "1"], output, **at, PYTHONPATH=str(ROOT))
    try:
        _answers(program)
        assert (state / "first-api-key").stat().st_mode & 0o077 == 0
        assert (state / "postgres").stat().st_uid == state.stat().st_uid
    finally:
        assert program.stop() == 0
        shutil.rmtree(state)
        shutil.rmtree(place_beside(state), ignore_errors=True)
