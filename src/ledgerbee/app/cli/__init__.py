"""The command line: `ledgerbee`."""

from ledgerbee.app.cli.commands import main

__all__ = ["main"]
