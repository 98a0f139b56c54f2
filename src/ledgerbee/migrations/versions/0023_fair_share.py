"""What one company may take of a shared installation: sql/0023_fair_share.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0023_fair_share"
down_revision = "0022_deliveries"


def upgrade() -> None:
    run_sql_file("0023_fair_share.sql")
