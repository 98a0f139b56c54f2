"""Whose a folder of attached files is: a file in it names the one database that it belongs to.

Each database removes from its folder what it does not need, so two may not share one. The file holds its own inode
number as well: in a copy of the folder it says nothing, and the copy is free for the database that is restored there.
"""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from ledgerbee.platform.blobs.store import give_to_owner
from ledgerbee.platform.connection import Connection
from ledgerbee.platform.files import create_private, sync_folder

MARKER: Final = ".ledgerbee-database"
#: The variable that names the folder of the process's own database.
SETTING: Final = "LEDGERBEE_ATTACHMENTS_DIR"


class FolderTakenError(Exception):
    """The folder belongs to another database. The message names both and the remedy."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A database: the server's own number, and the database's name there.

    A restore that puts a fresh database in its place, and a standby that takes over, keep it.
    """

    server: str
    database: str


async def identity_of(connection: Connection) -> Identity | None:
    """The identity of the database of a connection; None where the server shows it to no login like this."""
    try:
        found = await connection.fetchrow(
            "SELECT system_identifier::text AS server, current_database() AS database FROM pg_control_system()"
        )
    except asyncpg.InsufficientPrivilegeError:
        return None
    assert found is not None
    return Identity(found["server"], found["database"])


def check(folder: Path, identity: Identity | None, *, setting: str = SETTING) -> None:
    """Refuse a folder that belongs to another database. Raises `FolderTakenError`, `OSError`.

    `setting` is the variable that names the folder, for the message.
    """
    owner = owner_of(folder)
    if identity is not None and owner not in (None, identity):
        assert owner is not None
        raise FolderTakenError(
            f"The folder of attached files {folder} belongs to another database, {owner.database} of server "
            f"{owner.server}, and not to {identity.database} of server {identity.server}: name a folder of its own in "
            f"{setting}, or, if nothing uses that database any more, remove {folder / MARKER}."
        )


def claim(folder: Path, identity: Identity | None, *, setting: str = SETTING) -> None:
    """The same, and have the folder belong to this database from now on; it is made if it is not there.

    Raises `FolderTakenError`, `OSError`.
    """
    check(folder, identity, setting=setting)
    if identity is None or owner_of(folder) == identity:
        return
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        give_to_owner(folder)
    part = folder / f"{MARKER}.{secrets.token_hex(4)}"
    try:
        with os.fdopen(create_private(part), "w") as file:
            said = {"server": identity.server, "database": identity.database, "inode": os.fstat(file.fileno()).st_ino}
            file.write(json.dumps(said) + "\n")
            file.flush()
            os.fsync(file.fileno())
        give_to_owner(part)
        if (folder / MARKER).exists():  # a copy's
            part.replace(folder / MARKER)
        else:
            _put(part, folder / MARKER)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(folder)
    check(folder, identity, setting=setting)


def owner_of(folder: Path) -> Identity | None:
    """Whose a folder is; None for nobody's, and for a copy."""
    try:
        with (folder / MARKER).open() as file:
            said = json.load(file)
            is_in_place = said["inode"] == os.fstat(file.fileno()).st_ino
            return Identity(said["server"], said["database"]) if is_in_place else None
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None


def _put(part: Path, target: Path) -> None:
    """Put a file where there is none. Of several at once the first one's stays."""
    try:
        target.hardlink_to(part)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        part.replace(target)
