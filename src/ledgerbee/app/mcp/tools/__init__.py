"""The tools, in the order in which they are listed."""

from functools import cache

from ledgerbee.app.mcp.model import Tool
from ledgerbee.app.mcp.tools.aggregate import aggregate_tools
from ledgerbee.app.mcp.tools.booking import booking_tools
from ledgerbee.app.mcp.tools.books import book_tools
from ledgerbee.app.mcp.tools.company import company_tools
from ledgerbee.app.mcp.tools.customers import customer_tools
from ledgerbee.app.mcp.tools.documents import document_tools
from ledgerbee.app.mcp.tools.preparing import preparing_tools
from ledgerbee.app.mcp.tools.previews import preview_tools
from ledgerbee.app.mcp.tools.search import search_tools
from ledgerbee.app.mcp.tools.sending import sending_tools
from ledgerbee.app.mcp.tools.subscribing import subscribing_tools
from ledgerbee.app.mcp.tools.subscriptions import subscription_tools


@cache
def all_tools() -> dict[str, Tool]:
    """Every tool by its name."""
    groups = (
        company_tools(),
        search_tools(),
        customer_tools(),
        document_tools(),
        book_tools(),
        subscription_tools(),
        aggregate_tools(),
        preparing_tools(),
        sending_tools(),
        booking_tools(),
        subscribing_tools(),
        preview_tools(),
    )
    return {tool.name: tool for tools in groups for tool in tools}
