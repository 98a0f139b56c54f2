"""What `ledgerbee doctor` looks at of secrets that have to be read again, and of where webhooks may go."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ledgerbee.app.cli.findings import FAIL, OK, WARN, Finding

if TYPE_CHECKING:
    from ledgerbee.app.config import Settings

_CHECK = "secret keys"
_PAGE = "docs/operations/secret-keys.md"


def examine_targets(settings: "Settings") -> Iterator[Finding]:
    """Whether callers may have this machine's own programs posted to although it is reached from outside."""
    if settings.webhooks_allow_loopback and settings.public_url:
        text = "webhooks may go to programs on this machine, which is reached at LEDGERBEE_PUBLIC_URL"
        yield Finding("webhooks", WARN, text, "Unset LEDGERBEE_WEBHOOKS_ALLOW_LOOPBACK: it is for development.")


def examine_keys(settings: "Settings", folder: Path | None, stored: Sequence[bytes]) -> Iterator[Finding]:
    """Whether the keys are there, are this account's alone, and open what is `stored`. No key is made.

    `folder` is that of the embedded database, None for a database of the operator's.
    """
    from ledgerbee.app.secret_keys import key_file, keys_of

    if settings.secret_keys is None:
        file = key_file(settings, folder)
        try:
            mode = file.stat().st_mode & 0o777
            file.read_text()
        except FileNotFoundError:
            if stored:
                text = f"{file} is missing, and {len(stored)} stored secrets can't be read without it"
                yield Finding(_CHECK, FAIL, text, f"Bring it back; if it is lost: {_PAGE}")
            return
        except (OSError, UnicodeDecodeError) as fault:
            text = f"{file} can't be read: {getattr(fault, 'strerror', None) or 'it is no text'}"
            yield Finding(_CHECK, FAIL, text, "Give it to the account that ledgerbee runs as, or bring it back.")
            return
        if mode & 0o077:
            yield Finding(_CHECK, WARN, f"others may read {file} (mode {mode:o})", f"chmod 600 {file}")
    yield _opened(keys_of(settings, folder), stored)


def _opened(keys: Sequence[str], stored: Sequence[bytes]) -> Finding:
    try:
        unreadable = _count_unreadable(keys, stored)
        under_older = _count_unreadable(keys[:1], stored) - unreadable
    except ValueError:
        return Finding(_CHECK, FAIL, "what is in the file is no key", f"Bring it back; if it is lost: {_PAGE}")
    if unreadable:
        text = f"{unreadable} of {len(stored)} stored secrets were encrypted with a key that isn't among these"
        return Finding(_CHECK, FAIL, text, f"Add that key behind the present one; if it is lost: {_PAGE}")
    older = f", {under_older} of them by an older key" if under_older else ""
    return Finding(_CHECK, OK, f"all {len(stored)} stored secrets can be read{older}")


def _count_unreadable(keys: Sequence[str], stored: Sequence[bytes]) -> int:
    """How many can't be decrypted with any of the keys. Raises `ValueError` for what is no key."""
    from ledgerbee.core.errors import LedgerBeeError
    from ledgerbee.platform.secrets import SecretBox

    box, count = SecretBox(lambda: keys), 0
    box.encrypt(b"")  # where nothing is stored, the keys have to be some all the same
    for secret in stored:
        try:
            box.decrypt(secret)
        except LedgerBeeError:
            count += 1
    return count
