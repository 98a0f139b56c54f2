"""A running server as seen from outside: the file it keeps about itself, and its socket."""

import os
import socket
import struct
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

OWNER = "ledgerbee_owner"
DATABASE = "ledgerbee"
PID_FILE = "postmaster.pid"


@dataclass(frozen=True)
class Server:
    """A running server, reachable through its Unix socket by its own account and by root."""

    data_dir: Path
    socket_dir: Path
    port: int
    """Only part of the socket's name: there is no TCP."""
    bin_dir: Path
    pid: int

    def dsn(self, user: str = OWNER, database: str = DATABASE) -> str:
        """The connection URI, for asyncpg and for libpq."""
        host = quote(str(self.socket_dir), safe="")
        return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?host={host}&port={self.port}"


@dataclass(frozen=True)
class PidFile:
    """What a server wrote about itself into `postmaster.pid`; it may be dead by now."""

    pid: int
    port: int
    socket_dir: Path
    ready: bool


def answering(cluster: Path) -> PidFile | None:
    """The server that answers for a cluster, which may not take connections yet; None when none does.

    A pid file that came with a copied folder names the server of the original: it is not taken for this one's.
    """
    try:
        lines = (cluster / PID_FILE).read_text(errors="replace").splitlines()
        pid, served, _started, port, socket_dir, *rest = lines
        found = PidFile(int(pid), int(port), Path(socket_dir), rest[-1:] == ["ready   "])
        if not Path(served).samefile(cluster):
            return None
    except (OSError, ValueError):  # not there, not whole yet, or gone again
        return None
    listening = _listener(found.socket_dir / f".s.PGSQL.{found.port}")
    return None if listening is None else replace(found, pid=listening or found.pid)


def clear_socket(socket_dir: Path, port: int) -> None:
    """Remove what a killed server left in its socket folder, unless somebody listens there.

    PostgreSQL does so itself, but not while the number in the lock file belongs to any process at all.
    """
    path = socket_dir / f".s.PGSQL.{port}"
    if _listener(path) is None:
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.lock").unlink(missing_ok=True)


def _listener(path: Path) -> int | None:
    """The process that listens on a Unix socket: None when there is none, 0 when it listens but can't be named.

    An open socket is the proof that a server lives. A process number is not: it may have gone to somebody else, or
    name a process that is dead and not yet collected.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(2)
        try:
            client.connect(os.fspath(path))
        except (BlockingIOError, TimeoutError):
            return 0  # alive, with no room for one more caller just now
        except OSError:
            return None
        if sys.platform != "linux":
            return 0
        credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid, _uid, _gid = struct.unpack("3i", credentials)
        return int(pid)
