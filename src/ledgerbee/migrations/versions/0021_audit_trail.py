"""What the audit trail keeps of each change: sql/0021_audit_trail.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0021_audit_trail"
down_revision = "0020_csv_dialects"


def upgrade() -> None:
    run_sql_file("0021_audit_trail.sql")
