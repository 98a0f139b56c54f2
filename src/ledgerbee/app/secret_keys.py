"""Where the keys come from that stored secrets are encrypted with."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ledgerbee.app.config import Settings
from ledgerbee.platform.secrets import SecretBox, new_key

FILE_NAME = "secret.key"


def secret_box(settings: Settings) -> SecretBox:
    """The keys of the settings; without any, the one in the data folder, made when the first secret is stored."""
    return SecretBox(lambda: keys_of(settings))


def keys_of(settings: Settings, data_dir: Path | None = None) -> Sequence[str]:
    """The keys, the one to encrypt with first. `data_dir` is the folder of the embedded database in use."""
    if settings.secret_keys is not None:
        return [key.strip() for key in settings.secret_keys.get_secret_value().split(",")]
    return [_key_in(key_file(settings, data_dir))]


def key_file(settings: Settings, data_dir: Path | None = None) -> Path:
    """The file of the key, where the settings have none; `data_dir` as above."""
    if settings.secret_key_file is not None:
        return settings.secret_key_file.expanduser().absolute()
    from ledgerbee.embedded import default_data_dir  # noqa: PLC0415  not loaded where the file is named

    return (data_dir or settings.data_dir or default_data_dir()).expanduser().absolute() / FILE_NAME


def _key_in(file: Path) -> str:
    """The key in a file. Several processes may come first at once: the file appears whole, and is never replaced."""
    with suppress(FileNotFoundError):
        return file.read_text().strip()
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as written:
        written.write(new_key() + "\n")
        written.flush()
        os.fsync(written.fileno())
    with suppress(FileExistsError):
        os.link(fresh, file)
    fresh.unlink()
    return file.read_text().strip()
