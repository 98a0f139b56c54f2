"""Making a cluster: whole or not at all."""

import os
import re
import secrets
import shutil
from pathlib import Path

from ledgerbee.embedded.accounts import refuse_other_content, run_as
from ledgerbee.embedded.binaries import Binaries, find_binaries
from ledgerbee.embedded.errors import DataFolderError, StartError
from ledgerbee.embedded.folder import DataFolder
from ledgerbee.embedded.server import DATABASE, OWNER
from ledgerbee.embedded.settings import HBA, INCLUDES, write_conf
from ledgerbee.platform.files import sync_folder

# Characters by Unicode, order by code point, and all of it the same on every machine: from 17 on PostgreSQL brings
# that itself, before it is the C library's.
BUILTIN_LOCALE_SINCE = 17
CTYPES = ("C.UTF-8", "C")


def cluster_version(cluster: Path) -> int | None:
    """The major version that made the cluster; None when there is no cluster yet.

    Raises:
        DataFolderError: the folder holds something that is no cluster.
    """
    try:
        text = (cluster / "PG_VERSION").read_text()
    except FileNotFoundError:
        refuse_other_content(cluster)
        return None
    except OSError as error:
        raise DataFolderError(f"{cluster} can't be read: {error.strerror}.") from error
    found = re.match(r"\d+", text)
    if found is None:
        raise DataFolderError(f"{cluster / 'PG_VERSION'} is damaged. Restore the folder from a backup.")
    return int(found[0])


def ensure_cluster(folder: DataFolder, start_lock: int) -> Binaries:
    """Make the cluster when there is none, and give the programs that serve it. The caller holds the start lock.

    It is made in a folder of another name that is renamed at the end, so that one cut short is never taken for
    whole. `start_lock` is the descriptor of that lock: the programs at work hold it as well, so nobody starts over
    beside those of a caller that was killed.

    Raises:
        BinariesError: no programs, or none of the data's version.
        StartError: the cluster could not be made.
    """
    for leftover in folder.path.glob("postgres.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    major = cluster_version(folder.cluster)
    binaries = find_binaries(folder.account, major)
    if major is not None:
        return binaries
    fresh = folder.make_private(folder.path / f"postgres.new-{secrets.token_hex(4)}")
    try:
        _initdb(folder, binaries, fresh, start_lock)
        _configure(folder, fresh)
        _create_database(folder, binaries, fresh, start_lock)
        # All was written without waiting for the disk; once, at the end, it is waited for.
        _run(folder, [binaries.bin_dir / "initdb", "--sync-only", "-D", fresh], start_lock)
        fresh.rename(folder.cluster)
    except OSError as error:
        raise StartError(f"The database could not be made in {folder.path}: {error.strerror}.") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    sync_folder(folder.path)
    return binaries


def _initdb(folder: DataFolder, binaries: Binaries, fresh: Path, start_lock: int) -> None:
    command: list[str | Path] = [
        binaries.bin_dir / "initdb",
        *("-D", fresh),
        f"--username={OWNER}",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--data-checksums",
        "--no-sync",
        "--no-instructions",
    ]
    if binaries.major >= BUILTIN_LOCALE_SINCE:
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    for ctype in CTYPES[:-1]:
        if run_as(folder.account, [*command, f"--lc-ctype={ctype}"], keep_open=[start_lock]).returncode == 0:
            return
    # Said again with the last, so that a fault other than a C library without that locale is reported.
    _run(folder, [*command, f"--lc-ctype={CTYPES[-1]}"], start_lock)


def _configure(folder: DataFolder, fresh: Path) -> None:
    """Our settings and rules of access. The folder is not yet in use by anyone else, and only the account's."""
    with (fresh / "postgresql.conf").open("a") as conf:
        conf.write(INCLUDES)
    (fresh / "pg_hba.conf").write_text(HBA)
    custom = fresh / "custom.conf"
    custom.write_text("# Your own settings. Read after ledgerbee's, at each start.\n")
    custom.chmod(0o600)
    if not folder.account.is_self:
        os.chown(custom, folder.account.uid, folder.account.gid)
    write_conf(fresh, folder.account)


def _create_database(folder: DataFolder, binaries: Binaries, fresh: Path, start_lock: int) -> None:
    """Create the database with the single-user server, before anybody can connect."""
    server: list[str | Path] = [
        binaries.bin_dir / "postgres",
        "--single",
        "-F",
        "-c",
        "exit_on_error=on",
        "-D",
        fresh,
        "template1",
    ]
    _run(folder, server, start_lock, stdin=f"CREATE DATABASE {DATABASE};\n")


def _run(folder: DataFolder, command: list[str | Path], start_lock: int, stdin: str = "") -> None:
    done = run_as(folder.account, command, stdin=stdin, keep_open=[start_lock])
    if done.returncode != 0:
        raise StartError(
            f"The database could not be made in {folder.path}: {Path(command[0]).name} ended with "
            f"{done.returncode}:\n{done.stderr.strip()}"
        )
