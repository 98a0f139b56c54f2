"""For the process that stands in for Stripe: it listens on this machine only, and leaves no file behind.

It would listen on every address, and write what it has to one file in /tmp that all of its processes share.
"""

import builtins
import os
import socket
from typing import Any

_KEPT = "/tmp/localstripe.pickle"  # noqa: S108  its own name for it
_bind, _open = socket.socket.bind, builtins.open


def bind(self: socket.socket, address: Any) -> None:
    """Bind "any address" to the loopback interface's, as a socket of IPv6 has it."""
    _bind(self, ("::ffff:127.0.0.1", *address[1:]) if address[0] == "::" else address)


def opened(file: Any, *arguments: Any, **options: Any) -> Any:
    """Open a file; the one that it keeps its objects in is nowhere."""
    return _open(os.devnull if file == _KEPT else file, *arguments, **options)


socket.socket.bind = bind  # type: ignore[method-assign, assignment]
builtins.open = opened
