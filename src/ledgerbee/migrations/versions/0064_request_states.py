"""States that MCP clients have brought back: sql/0064_request_states.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0064_request_states"
down_revision = "0063_staged_commands"


def upgrade() -> None:
    run_sql_file("0064_request_states.sql")
