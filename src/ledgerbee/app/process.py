"""What the processes that `serve` starts have in common: how they reach the database and hang on to the supervisor."""

import asyncio
import gc
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from ledgerbee.app.config import Settings
from ledgerbee.platform import logs

#: Seconds that requests and jobs in hand get to finish when a process is told to stop.
GRACE_S: Final = 30
#: Seconds after which a process that was told to stop is killed.
KILLED_AFTER_S: Final = GRACE_S + 5


@dataclass(frozen=True, slots=True)
class Pipes:
    """Descriptors that tie a process to its supervisor.

    `lifeline` closes when the supervisor is gone, whatever ended it; a line with `name` on `ready` says that this
    process does its work.
    """

    name: str
    lifeline: int
    ready: int

    def watch(self, stop: Callable[[], None]) -> None:
        """Call `stop` when the supervisor is gone. For a running event loop.

        What hasn't ended when the supervisor would have killed it ends all the same, whatever it waits for: a database
        that is gone too, as a rule.
        """
        loop = asyncio.get_running_loop()

        def ended() -> None:
            loop.remove_reader(self.lifeline)
            loop.call_later(KILLED_AFTER_S, os._exit, 1)
            stop()

        os.set_blocking(self.lifeline, False)
        loop.add_reader(self.lifeline, ended)

    def signal_ready(self) -> None:
        """Say, once, that this process does its work. A supervisor that is gone by now is `watch`'s affair."""
        with suppress(BrokenPipeError):
            os.write(self.ready, f"{self.name}\n".encode())
        os.close(self.ready)


def child_arguments() -> tuple[Settings, Pipes, list[int]]:
    """The settings, the pipes and further descriptors of a process started with `NAME LIFELINE_FD READY_FD [FD]...`."""
    settings = Settings()
    logs.configure(settings.log_level)
    name, lifeline, ready, *others = sys.argv[1:]
    return settings, Pipes(name, int(lifeline), int(ready)), [int(descriptor) for descriptor in others]


def freeze_gc() -> None:
    """What was loaded lives as long as the process: the garbage collector need not look at it again and again.

    What requests and rows make goes with them, hardly any of it in circles: a look at each ten thousand is enough.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()


def database_login(settings: Settings, own: str | None) -> tuple[str, bool]:
    """The address for a role whose `own` login may be set, and whether the login there has to switch to that role."""
    if own:
        return own, False
    assert settings.database_url is not None, "a supervisor or a command line says where the database is"
    return settings.database_url, True
