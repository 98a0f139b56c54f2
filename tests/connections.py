"""Connections of applications, made without their sign-in: for tests of what applications do."""

from tests.conftest import Api
from tests.ledger_books import as_owner

from ledgerbee.core.ids import new_id
from ledgerbee.identity.connections import actions, store
from ledgerbee.identity.connections.model import MCP_PATH, AppConnection, ConnectionId
from ledgerbee.identity.users.model import MembershipId, Role, UserId
from ledgerbee.identity.users.rules import SCOPES_OF
from ledgerbee.platform.context import Context


async def connect(
    api: Api,
    database_url: str,
    scopes: frozenset[str] = SCOPES_OF[Role.OWNER],
    resource: str = MCP_PATH,
    role: Role = Role.OWNER,
) -> tuple[AppConnection, str]:
    """A connection of a new member of the company, and an access token of it."""
    user_id = UserId(new_id())
    owner = await as_owner(database_url)
    await owner.execute(
        "INSERT INTO users (id, email, name, language, created_at, updated_at) VALUES ($1, $2, 'Ida', 'da', $3, $3)",
        user_id,
        f"{user_id}@example.com",
        api.clock(),
    )
    await owner.close()

    async def work(context: Context) -> tuple[AppConnection, str]:
        membership = MembershipId(new_id())
        await context.connection.execute(
            "INSERT INTO memberships (company_id, id, user_id, role, created_at, updated_at)"
            " VALUES ($1, $2, $3, $5, $4, $4)",
            context.company_id,
            membership,
            user_id,
            context.now,
            role,
        )
        connection = AppConnection(
            id=ConnectionId(new_id()),
            membership_id=membership,
            user_id=user_id,
            client_id="https://agent.example/client.json",
            client_name="Agent",
            redirect_host="localhost",
            resource=resource,
            scopes=tuple(sorted(scopes)),
            created_at=context.now,
        )
        await store.insert(context, connection)
        return connection, await actions.issue_token(context, connection)

    made: tuple[AppConnection, str] = await api.run(work)
    return made
