"""The data folder on disk: what lies where, who owns it, and that the server's account can reach it.

    <data dir>/            the caller's; passable by the server's account
        postgres/          the cluster: the server account's alone (0700)
        run/               the Unix socket: the server account's alone (0700)
        locks/             the caller's alone
        attachments/       the caller's alone: attached files, where no other place is set
        startup.log        what the server said before its own log was open

When root makes the data folder it stays root's (0711) and only `postgres/` and `run/` are given to the unprivileged
account: a server that was broken into can't touch the locks, nor other files that ledgerbee keeps beside it.
"""

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from ledgerbee.embedded.accounts import Account, can_enter, closed_ancestor, server_account
from ledgerbee.embedded.errors import DataFolderError

ROOT_DATA_DIR = Path("/var/lib/ledgerbee")
PORT = 5432
# sun_path takes 104 bytes on macOS and 108 on Linux, ended by a NUL.
SOCKET_PATH_BYTES = 100


def default_data_dir() -> Path:
    """Where data goes without `--data-dir`: the user's data folder, `/var/lib/ledgerbee` for root.

    Root's own data folder is below a home that no other account may enter, and the server runs as another account.
    """
    return ROOT_DATA_DIR if os.geteuid() == 0 else platformdirs.user_data_path("ledgerbee", appauthor=False)


@dataclass(frozen=True)
class DataFolder:
    """A data folder and the account that runs its server."""

    path: Path
    account: Account

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return cluster_path(self.path)

    @property
    def startup_log(self) -> Path:
        return self.path / "startup.log"

    @property
    def start_lock(self) -> Path:
        """Held while the server is made, started or stopped."""
        return self.path / "locks" / "start"

    @property
    def server_lock(self) -> Path:
        """Held by every process of a running server."""
        return self.path / "locks" / "server"

    @property
    def users_lock(self) -> Path:
        """Shared by everybody who uses the server; its note says whether the last one stops it."""
        return self.path / "locks" / "users"

    @property
    def serve_lock(self) -> Path:
        """Held by the one `serve`."""
        return self.path / "locks" / "serve"

    def make_private(self, folder: Path) -> Path:
        """Make `folder` for the server's account alone, or check that it is. Symbolic links are not followed.

        Raises:
            DataFolderError: what is there is no folder, is someone else's, or others can enter it.
        """
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            pass
        except OSError as error:
            raise DataFolderError(f"The folder {folder} can't be made: {error.strerror}.") from error
        else:
            if not self.account.is_self:
                os.chown(folder, self.account.uid, self.account.gid, follow_symlinks=False)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != self.account.uid or found.st_mode & 0o077:
            raise DataFolderError(
                f"{folder} must be a folder that account {self.account.name} owns and nobody else can enter "
                f"(mode 0700), and it is not. Move it away; ledgerbee makes it anew."
            )
        return folder

    def socket_dir(self) -> Path:
        """The folder for the Unix socket: beside the data, or a short one where the path would be too long.

        A comma in the path needs the short one as well: clients take it for a list of hosts.
        """
        beside = self.path / "run"
        if _socket_fits(beside):
            return self.make_private(beside)
        name = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        for base in (Path(tempfile.gettempdir()).resolve(), Path("/tmp").resolve()):  # noqa: S108 - checked below
            short = base / f"ledgerbee-{self.account.uid}-{name}"
            if _socket_fits(short) and can_enter(self.account, base):
                return self.make_private(short)
        raise DataFolderError(f"The path {self.path} is too long for a Unix socket. Choose a shorter --data-dir.")


def cluster_path(data_dir: Path) -> Path:
    """PostgreSQL's own data directory below a data folder."""
    return data_dir / "postgres"


def prepare(data_dir: Path) -> DataFolder:
    """The data folder, made when missing, and checked to be usable by us and by the server's account.

    Raises:
        DataFolderError: it can't be made, written or reached; the message names the folder that is in the way.
    """
    path = data_dir.expanduser().resolve()
    account = server_account(cluster_path(path))
    existing = next(step for step in (path, *path.parents) if _exists(step))
    _refuse_closed(account, existing)
    try:
        for step in reversed([step for step in (path, *path.parents) if not _exists(step)]):
            _make(step, 0o755 if step != path else 0o700 if account.is_self else 0o711)
        _refuse_closed(account, path)
        locks = path / "locks"
        if not locks.exists():
            _make(locks, 0o700)
            owner = path.stat()
            if os.geteuid() == 0 and owner.st_uid != 0:
                os.chown(locks, owner.st_uid, owner.st_gid, follow_symlinks=False)
    except OSError as error:
        raise DataFolderError(
            f"The data folder {path} can't be made: {error.strerror} ({error.filename}). "
            "Choose a --data-dir this account may write to."
        ) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise DataFolderError(f"The data folder {path} can't be written by this account. Choose another --data-dir.")
    return DataFolder(path, account)


def _make(path: Path, mode: int) -> None:
    """Make one folder with exactly this mode, whatever the umask; one that is there by now is left as it is."""
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        return
    path.chmod(mode)


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise DataFolderError(
            f"{path} can't be reached: {error.strerror}. Choose a --data-dir this account may use."
        ) from error
    return True


def _refuse_closed(account: Account, path: Path) -> None:
    closed = closed_ancestor(account, path)
    if closed is None:
        return
    if account.is_self:
        raise DataFolderError(f"{closed} can't be entered by account {account.name}. Choose another --data-dir.")
    raise DataFolderError(
        f"PostgreSQL refuses to run as root, so it runs as account {account.name}, and that account can't enter "
        f"{closed}. Choose a --data-dir it can reach, for example {ROOT_DATA_DIR}, or run ledgerbee as an "
        f"ordinary user."
    )


def _socket_fits(folder: Path) -> bool:
    name = os.fsencode(folder / f".s.PGSQL.{PORT}")
    return len(name) <= SOCKET_PATH_BYTES and not set(name) & set(b',"\n')
