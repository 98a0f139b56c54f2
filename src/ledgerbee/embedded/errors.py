"""What can go wrong with the embedded database, for the person who runs it: what, where and what to do."""


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL can't do what was asked. The message is meant to be printed as it is."""


class BinariesError(EmbeddedPostgresError):
    """No PostgreSQL programs that can serve this data folder were found."""


class DataFolderError(EmbeddedPostgresError):
    """The data folder can't be used: rights, owner, contents, or another process is at work on it."""


class StartError(EmbeddedPostgresError):
    """The server did not come up; the message ends with the last lines of its log."""


class BrokeDownError(EmbeddedPostgresError):
    """The server ended by itself while it was used, as when its disk has no room for its log of changes."""


class StopError(EmbeddedPostgresError):
    """The server did not shut down in time, or may not be signalled by this account."""


class AlreadyServing(EmbeddedPostgresError):  # noqa: N818 - the state is the message
    """Another `serve` runs on the same data folder.

    `pid` is that process, or None when it has not yet written its number down.
    """

    def __init__(self, data_dir: object, pid: int | None) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(
            f"ledgerbee already serves {data_dir} ({who}). Stop that one first, or give this one its own --data-dir."
        )
        self.pid = pid


class BackupError(EmbeddedPostgresError):
    """The backup was not made; an older file of the same name is still there, untouched."""


class RestoreError(EmbeddedPostgresError):
    """The restore was not done; the database is what it was before."""


class DatabaseInUseError(RestoreError):
    """Someone is connected to the database that a restore would replace."""
