"""Service periods of lines, and revenue that is deferred and recognised: sql/0045_deferrals.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0045_deferrals"
down_revision = "0044_prepayment_losses"


def upgrade() -> None:
    run_sql_file("0045_deferrals.sql")
