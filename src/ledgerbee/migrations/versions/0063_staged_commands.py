"""What applications want to book, send or cancel, shown before it is carried out: sql/0063_staged_commands.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0063_staged_commands"
down_revision = "0062_authorization"


def upgrade() -> None:
    run_sql_file("0063_staged_commands.sql")
