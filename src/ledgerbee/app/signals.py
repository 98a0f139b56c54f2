"""Ending the program from a signal handler."""

import sys


def cancel_and_exit(status: int) -> None:
    """Leave whatever is being done, cleaning up on the way out, and exit with `status`.

    Inside an event loop everything that runs in it is cancelled, which `asyncio.run` raises as `CancelledError` once it
    is done: an exception that comes out of a handler in the middle of the driver's compiled code crashes the
    interpreter.
    """
    if "asyncio" not in sys.modules:
        raise SystemExit(status)
    import asyncio  # noqa: PLC0415  a command that needs no loop does not load it

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise SystemExit(status) from None
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.call_soon_threadsafe(lambda: None)  # wakes it up
