"""The running system that the simulation works on, and what kills parts of it."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import httpx
from tests.platform.servers import end
from tests.runtime.processes import Served, is_alive, wait_for

from ledgerbee import embedded as postgres

#: Two, so that one company's posts come from several processes.
API_PROCESSES = 2
VICTIMS = ("api-1", "api-2", "worker", "postgres")


@dataclass
class System:
    """`ledgerbee serve` on a data folder of its own."""

    served: Served
    data_dir: Path

    def kill(self, name: str) -> None:
        """SIGKILL one of its processes, wherever that is in its work."""
        pid = postgres.status(self.data_dir).pid if name == "postgres" else self.served.program.pid_of(name)
        if pid is not None and is_alive(pid):  # it may be down from the blow before
            os.kill(pid, signal.SIGKILL)

    def is_well(self) -> bool:
        """Whether the API answers and its database with it."""
        try:
            return httpx.get(f"{self.served.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def faults(self) -> str:
        """What it logged of requests that failed for no reason of theirs, the last few."""
        failed = [line.get("exception", "") for line in self.served.program.log if line["event"] == "request.failed"]
        return "".join(f"\n\nlogged: {text}" for text in failed[-2:])

    def wait_until_well(self) -> None:
        """Until everything that was killed is back."""
        wait_for(self.is_well)
        wait_for(lambda: all(is_alive(self.served.program.pid_of(name)) for name in VICTIMS[:-1]))


@contextmanager
def running_system() -> Iterator[System]:
    """A new system; nothing is left of it afterwards."""
    folder = Path(mkdtemp(prefix="lb-sim-", dir="/tmp")).resolve()
    folder.chmod(0o711)  # the server's account has to pass through
    served = Served.start(
        folder / "data", folder, "--processes", str(API_PROCESSES), LEDGERBEE_WEBHOOKS_ALLOW_LOOPBACK="true"
    )
    try:
        yield System(served, folder / "data")
    finally:
        served.stop()
        end(folder / "data")
        rmtree(folder)
