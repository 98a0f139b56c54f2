"""The operating-system account the server runs as, and how programs are run as it.

PostgreSQL refuses to run as root. So root runs it as an unprivileged account, everybody else as themselves.
"""

import os
import pwd
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ledgerbee.embedded.errors import DataFolderError

#: Accounts that root runs a new server as, the first that is there. The last is on every machine and, unlike `nobody`,
#: not what strangers' programs are commonly run as; whoever shares the server's account has its data.
UNPRIVILEGED = ("ledgerbee", "postgres", "daemon")
#: Programs of all kinds run as this account: never a database.
SHARED = "nobody"


@dataclass(frozen=True)
class Account:
    """An operating-system account."""

    name: str
    uid: int
    gid: int

    @property
    def is_self(self) -> bool:
        """Whether this process already runs as the account."""
        return os.geteuid() == self.uid


def server_account(cluster: Path) -> Account:
    """The account that runs the server whose files are (or will be) in `cluster`.

    An existing cluster's owner keeps running it, also when root is the caller.

    Raises:
        DataFolderError: the cluster is someone else's, or root's, or something else; or no unprivileged account exists.
    """
    try:
        owner = cluster.stat()
    except FileNotFoundError:
        return _unprivileged() if os.geteuid() == 0 else _unshared(own_account())
    except PermissionError as error:
        raise DataFolderError(
            f"{cluster} can't be read by account {_name(os.geteuid())}: {error.strerror}. "
            "Run as the account that owns the data folder."
        ) from error
    if os.geteuid() not in (0, owner.st_uid):
        raise DataFolderError(
            f"{cluster} belongs to account {_name(owner.st_uid)}, this is {_name(os.geteuid())}. "
            "Run as that account, or choose another --data-dir."
        )
    refuse_other_content(cluster)  # before advice on whose the files should be: these are none of ours
    if owner.st_uid == 0:
        raise DataFolderError(
            f"{cluster} belongs to root, and PostgreSQL refuses to run as root. "
            f"Give it to an unprivileged account, for example: chown -R postgres {cluster}"
        )
    return _unshared(_account(owner.st_uid, owner.st_gid), cluster)


def refuse_other_content(cluster: Path) -> None:
    """Refuse a path at which there is something, and no cluster.

    Raises:
        DataFolderError: it does.
    """
    with suppress(OSError):  # what can't be read is reported by whoever reads it
        if cluster.is_file() or (not (cluster / "PG_VERSION").exists() and any(cluster.iterdir())):
            raise DataFolderError(
                f"{cluster} is not empty and is no PostgreSQL data. Move it away, or choose another --data-dir."
            )


def own_account() -> Account:
    """The account of this process."""
    return _account(os.geteuid(), os.getegid())


def run_as(
    account: Account,
    argv: Sequence[str | Path],
    *,
    stdin: str = "",
    output: IO[bytes] | None = None,
    keep_open: Sequence[int] = (),
) -> "subprocess.CompletedProcess[str]":
    """Run a program as `account`, in a session of its own, with nothing of the caller's environment.

    The environment holds no secret of ours and no `PG*` variable, the language is C (messages are read by us),
    new files are the account's alone. `output` takes stdout and stderr instead of the result.

    Raises:
        OSError: the program can't be executed by that account.
    """
    inherited = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return subprocess.run(  # noqa: S603 - argv is ours, no shell reads it
        [str(arg) for arg in argv],
        input=stdin,
        stdout=output or subprocess.PIPE,
        stderr=output or subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
        cwd="/",
        env={**inherited, "LC_ALL": "C", "TZ": "UTC"},
        umask=0o077,
        user=None if account.is_self else account.uid,
        group=None if account.is_self else account.gid,
        extra_groups=None if account.is_self else [],
        pass_fds=keep_open,
        start_new_session=True,
    )


def can_enter(account: Account, folder: Path) -> bool:
    """Whether the account can pass through `folder` and all folders above it; the kernel is asked, not mode bits."""
    if account.is_self:
        return os.access(folder, os.X_OK)
    return run_as(account, ["/bin/sh", "-c", 'cd -- "$1"', "sh", folder]).returncode == 0


def closed_ancestor(account: Account, folder: Path) -> Path | None:
    """The outermost folder on the way to `folder` (itself included) that shuts `account` out; None when none does."""
    if can_enter(account, folder):
        return None
    return next((step for step in (*reversed(folder.parents), folder) if not can_enter(account, step)), folder)


def open_own(path: Path, flags: int) -> int:
    """Open one of our own files beside the data, not through a symbolic link; what is made is the owner's alone.

    A file that root makes in someone's folder is handed to that folder's owner, who could not use it otherwise.
    """
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    folder = path.parent.stat()
    if os.geteuid() == 0 and os.fstat(descriptor).st_uid != folder.st_uid:
        os.fchown(descriptor, folder.st_uid, folder.st_gid)
    return descriptor


def _unprivileged() -> Account:
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise DataFolderError(
        "PostgreSQL refuses to run as root, and this machine has no account ledgerbee. "
        "Run ledgerbee as an ordinary user, or add the account: useradd --system ledgerbee"
    )


def _unshared(account: Account, cluster: Path | None = None) -> Account:
    """The account, if programs of strangers don't run as it too; `cluster` is what it has already."""
    if account.name == SHARED:
        give = f"give the data to it (chown -R ledgerbee {cluster})" if cluster else "run as that account"
        raise DataFolderError(
            f"The database would run as {SHARED}, as which programs of all kinds run: each could read the books. "
            f"Add an account (useradd --system ledgerbee), and {give}."
        )
    return account


def _account(uid: int, gid: int) -> Account:
    return Account(_name(uid), uid, gid)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
