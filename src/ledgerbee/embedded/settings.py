"""The server's settings: those of a laptop or a small machine, none that trades safety for speed."""

import os
import secrets
from pathlib import Path

from ledgerbee.embedded.accounts import Account
from ledgerbee.embedded.folder import PORT
from ledgerbee.platform.files import create_private

# Read by the server in this order; `custom.conf` is the hoster's.
INCLUDES = (
    "\n# ledgerbee: ours first, then the hoster's\ninclude = 'ledgerbee.conf'\ninclude_if_exists = 'custom.conf'\n"
)

CONF = """\
# Written by ledgerbee at each start. Put your own settings into custom.conf beside this file: they win.
max_connections = 200
shared_buffers = '128MB'
jit = off                       # short statements: compiling costs more than it saves
timezone = 'UTC'
lc_messages = 'C'               # ledgerbee reads some of them
logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%a.log'      # a file per weekday: a week is kept
log_rotation_age = '1d'
log_rotation_size = 0
log_truncate_on_rotation = on
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
log_lock_waits = on
"""

# `trust` lets in everybody who can reach the socket. Only the server's account (whose files the data are anyway)
# and root can enter the 0700 folder it lies in, so a password would guard nothing; and there is no TCP.
HBA = """\
# Made by ledgerbee. The socket's folder is open to the server's own account alone.
local all all trust
"""


def command_line(socket_dir: Path) -> list[str]:
    """What no file, and no `ALTER SYSTEM`, may change: reachable by our socket only, and durable."""
    fixed = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": f'"{socket_dir}"',
        "unix_socket_permissions": "0700",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
    }
    return [part for name, value in fixed.items() for part in ("-c", f"{name}={value}")]


def write_conf(cluster: Path, account: Account) -> None:
    """Bring `ledgerbee.conf` up to date.

    Replaced by rename and never opened: root must not write through what the server's account put there.
    """
    target = cluster / "ledgerbee.conf"
    part = cluster / f"ledgerbee.conf.{secrets.token_hex(4)}"
    descriptor = create_private(part)
    try:
        os.write(descriptor, CONF.encode())
        if not account.is_self:
            os.fchown(descriptor, account.uid, account.gid)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    part.replace(target)
