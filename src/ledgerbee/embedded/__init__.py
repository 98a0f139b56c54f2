"""The embedded PostgreSQL: found, made, started, shared, backed up and stopped without any set-up.

For machines with Unix sockets (Linux, macOS). Elsewhere, and for a server of your own, `DATABASE_URL` is the way.
"""

from ledgerbee.embedded.backup import LEFTOVER_DATABASES, backup, backup_target, psql_command, restore, write
from ledgerbee.embedded.cluster import (
    State,
    Status,
    ensure_running,
    is_up,
    running,
    serve_lock,
    serving_address,
    status,
    stop,
)
from ledgerbee.embedded.errors import (
    AlreadyServing,
    BackupError,
    BinariesError,
    BrokeDownError,
    DatabaseInUseError,
    DataFolderError,
    EmbeddedPostgresError,
    RestoreError,
    StartError,
    StopError,
)
from ledgerbee.embedded.folder import default_data_dir
from ledgerbee.embedded.parts import left_in, remove_left
from ledgerbee.embedded.server import Server
from ledgerbee.embedded.server_log import broke_down

__all__ = [
    "LEFTOVER_DATABASES",
    "AlreadyServing",
    "BackupError",
    "BinariesError",
    "BrokeDownError",
    "DataFolderError",
    "DatabaseInUseError",
    "EmbeddedPostgresError",
    "RestoreError",
    "Server",
    "StartError",
    "State",
    "Status",
    "StopError",
    "backup",
    "backup_target",
    "broke_down",
    "default_data_dir",
    "ensure_running",
    "is_up",
    "left_in",
    "psql_command",
    "remove_left",
    "restore",
    "running",
    "serve_lock",
    "serving_address",
    "status",
    "stop",
    "write",
]
