"""Keeps how CSV files are read, and ends imports that were given up: sql/0020_csv_dialects.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0020_csv_dialects"
down_revision = "0019_rate_days"


def upgrade() -> None:
    run_sql_file("0020_csv_dialects.sql")
