"""Runs a command as systemd's sandbox would, without systemd: `python -m tests.runtime.confined ACCOUNT STATE CMD...`.

As root: a mount namespace of its own in which all but STATE is read-only, /tmp is private and empty, /root, /home and
/run/user are empty (the interpreter's own folder and the checkout stay), no capability, the account's ids, umask 077,
no HOME, cwd /.
"""

import ctypes
import os
import pwd
import sys
from pathlib import Path

_NEW_NAMESPACE = 0x00020000
_RDONLY, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 32, 4096, 16384, 1 << 18
_NO_NEW_PRIVS = 38
TMP = Path("/tmp")  # noqa: S108  the one that is made private
CHECKOUT = Path(__file__).parents[2]
_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str | None, target: Path, kind: str | None, flags: int, data: str | None = None) -> None:
    texts = [text.encode() if text is not None else None for text in (source, str(target), kind)]
    if _libc.mount(*texts, ctypes.c_ulong(flags), data.encode() if data else None):
        number = ctypes.get_errno()
        raise OSError(number, f"mount {target}: {os.strerror(number)}")


def place_beside(state: Path) -> Path:
    """Where folders are kept in reach meanwhile; empty for everybody else, and left to the caller to remove."""
    return state.with_name(f"{state.name}-kept")


def confine(account: pwd.struct_passwd, state: Path) -> None:
    """Leave this process with the rights and the view of files that the unit gives."""
    if _libc.unshare(_NEW_NAMESPACE):
        raise OSError(ctypes.get_errno(), "unshare")
    mount(None, Path("/"), None, _REC | _PRIVATE)
    kept = place_beside(state)
    kept.mkdir(mode=0o700)
    # A folder comes before those in it.
    programs = sorted({Path(path).resolve() for path in (sys.base_prefix, sys.prefix, CHECKOUT)})
    needed = {path: kept / str(number) for number, path in enumerate([*programs, state])}
    for path, place in needed.items():
        place.mkdir()
        mount(str(path), place, None, _BIND)
    for hidden, mode in ((Path("/root"), "0755"), (Path("/home"), "0755"), (TMP, "1777")):
        if not hidden.is_dir():
            continue
        mount("tmpfs", hidden, "tmpfs", 0, f"mode={mode}")
        for path in programs:
            if path.is_relative_to(hidden) and not path.exists():
                path.mkdir(parents=True)
                mount(str(needed[path]), path, None, _BIND)
    state.mkdir(parents=True, exist_ok=True)
    mount(str(needed[state]), state, None, _BIND)
    for point in sorted({line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()}):
        path = Path(point)
        writable = path in {state, TMP} or point.startswith(("/proc", "/sys", "/dev", str(kept)))
        if not writable and path.exists():
            mount(None, path, None, _REMOUNT | _BIND | _RDONLY)
    os.setgroups([])
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    _libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    os.umask(0o077)
    os.chdir("/")


def main() -> None:
    name, state, *command = sys.argv[1:]
    confine(pwd.getpwnam(name), Path(state))
    for folder in ("/usr", "/root", "/etc", "/var", "/var/lib"):
        try:
            Path(folder, "written").write_text("x")
        except OSError:
            continue
        raise SystemExit(f"{folder} can be written: the sandbox is none")
    environment = {name: value for name, value in os.environ.items() if name not in {"HOME", "USER", "LOGNAME"}}
    os.execve(command[0], command, environment)  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    main()
