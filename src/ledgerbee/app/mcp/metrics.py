"""Calls of tools counted."""

from functools import lru_cache
from typing import Final

from prometheus_client import Counter

CALLS: Final = Counter("ledgerbee_mcp_calls_total", "Calls of tools of the MCP server", ["tool", "outcome"])


@lru_cache(maxsize=1024)
def calls(tool: str, outcome: str) -> Counter:
    """The counter of a tool's calls that came to `outcome`: `ok`, `error` (the tool's own), `refused`."""
    return CALLS.labels(tool, outcome)
