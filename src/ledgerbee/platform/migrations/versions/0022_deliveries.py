"""Jobs that gave up and mails that were refused: sql/0022_deliveries.sql."""

from ledgerbee.platform.migrations.run_sql import run_sql_file

revision = "0022_deliveries"
down_revision = "0021_audit_trail"


def upgrade() -> None:
    run_sql_file("0022_deliveries.sql")
