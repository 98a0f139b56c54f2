"""Making connections and giving them tokens."""

from ledgerbee.core.cells import new_secret
from ledgerbee.identity.connections.model import TOKEN_LIFE, AppConnection
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import TOKEN_PREFIX, USER_TOKEN, Grant, secret_hash


async def issue_token(context: Context, connection: AppConnection) -> str:
    """A new access token of a connection, good for an hour at the connection's own address; it is shown once."""
    secret = new_secret(TOKEN_PREFIX, context.cell)
    await credentials.add(
        context,
        secret_hash=secret_hash(secret),
        kind=USER_TOKEN,
        subject_id=connection.id,
        grant=Grant(connection.scopes, (), context.now + TOKEN_LIFE),
        user_id=connection.user_id,
        resource=connection.resource,
    )
    return secret
