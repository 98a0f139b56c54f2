"""An application that works for a member of a company over MCP, for tests."""

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from tests.api.test_mcp import ask, call
from tests.conftest import Api
from tests.connections import connect
from tests.ledger_books import as_owner

from ledgerbee.app.mcp.staging import actions as staged
from ledgerbee.app.mcp.tools.previews import PLANS
from ledgerbee.core.ids import new_id
from ledgerbee.identity.connections import actions
from ledgerbee.identity.connections import store as connections
from ledgerbee.identity.connections.model import AppConnection, ConnectionId
from ledgerbee.identity.users.model import Role
from ledgerbee.identity.users.rules import SCOPES_OF
from ledgerbee.platform.context import Actor, Context, Origin
from ledgerbee.platform.credentials.model import USER_SESSION
from ledgerbee.platform.db import Tenant


@dataclass
class Agent:
    """A connection that calls tools."""

    api: Api
    connection: AppConnection
    token: str
    database_url: str = field(repr=False, default="")

    @classmethod
    async def of(cls, api: Api, database_url: str, role: Role = Role.OWNER) -> "Agent":
        """A connection of a new member, with all that the role may do."""
        return cls(api, *await connect(api, database_url, SCOPES_OF[role], role=role), database_url)

    async def did(self, tool: str, **arguments: Any) -> Any:
        """What a call gives that must succeed."""
        result = await call(self.api, self.token, tool, arguments)
        assert not result.get("isError"), result
        return result["structuredContent"]

    async def refused(self, code: str, tool: str, **arguments: Any) -> Any:
        """The error of a call that must be refused with this code."""
        result = await call(self.api, self.token, tool, arguments)
        assert result.get("isError"), result
        assert result["structuredContent"]["code"] == code, result
        return result["structuredContent"]

    async def tried(self, tool: str, **arguments: Any) -> Any:
        """What a call gives, or its error."""
        return (await call(self.api, self.token, tool, arguments))["structuredContent"]

    async def ask(self, tool: str) -> httpx.Response:
        """The HTTP answer to a call without arguments."""
        return await ask(self.api, self.token, "tools/call", {"name": tool, "arguments": {}})

    async def tools(self) -> set[str]:
        """The names of the tools that are listed."""
        answer = await ask(self.api, self.token, "tools/list")
        return {tool["name"] for tool in answer.json()["result"]["tools"]}

    async def once_more(self, client_id: str | None = None) -> "Agent":
        """Another connection that the same member lets in, of the same application unless told otherwise."""
        connection = replace(
            self.connection, id=ConnectionId(new_id()), client_id=client_id or self.connection.client_id
        )

        async def work(context: Context) -> str:
            await connections.insert(context, connection)
            return await actions.issue_token(context, connection)

        return Agent(self.api, connection, await self.api.run(work), self.database_url)

    async def renew(self) -> None:
        """Get a new token: they live an hour."""
        self.token = await self.api.run(lambda context: actions.issue_token(context, self.connection))

    async def commit(self, preview: Any) -> Any:
        """What committing a preview gives."""
        return await self.did("commit_preview", previewId=preview["previewId"])

    async def approve(self, preview: Any) -> None:
        """Have a preview that needs it approved by a member, as the page does it."""
        await self.refused("APPROVAL_REQUIRED", "commit_preview", previewId=preview["previewId"])
        actor = Actor("user", str(new_id()))
        tenant = Tenant(self.api.company_id, actor, "test", "Europe/Copenhagen", origin=Origin(USER_SESSION, new_id()))

        async def work(context: Context) -> None:
            await staged.approve(context, UUID(preview["previewId"]), SCOPES_OF[Role.OWNER], PLANS)

        await self.api.database.run(tenant, self.api.clock(), work)

    async def allow(self, limit: str) -> None:
        """Set what the connection may book in a day."""
        owner = await as_owner(self.database_url)
        await owner.execute(
            "UPDATE connections SET daily_limit = $2::text::numeric WHERE id = $1", self.connection.id, limit
        )
        await owner.close()


#: Every table of companies, each with a digest of a company's rows and of what says that they were written anew.
_TABLES = (
    "SELECT table_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_name)"
    " WHERE column_name = 'company_id' AND t.table_type = 'BASE TABLE' AND t.table_schema = 'public'"
    " GROUP BY 1 ORDER BY 1"
)
_ROWS = (
    "SELECT '{0}' AS name, md5(string_agg(xmin::text || t::text, '' ORDER BY t::text)) AS digest"
    ' FROM "{0}" t WHERE company_id = $1'
)


async def rows_of(database_url: str, api: Api, without: tuple[str, ...] = ()) -> dict[str, str | None]:
    """What a company's rows are, by table: another digest wherever one was written, also as it was."""
    owner: asyncpg.Connection[asyncpg.Record] = await as_owner(database_url)
    tables = [table for (table,) in await owner.fetch(_TABLES) if table not in without]
    found = await owner.fetch(" UNION ALL ".join(_ROWS.format(table) for table in tables), api.company_id)
    await owner.close()
    return {row["name"]: row["digest"] for row in found}
