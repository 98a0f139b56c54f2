"""The tools, in the order in which they are listed."""

from functools import cache

from ledgerbee.app.mcp.model import Tool
from ledgerbee.app.mcp.tools.company import company_tool


@cache
def all_tools() -> dict[str, Tool]:
    """Every tool by its name."""
    return {tool.name: tool for tool in (company_tool(),)}
