"""Payment providers, saved cards and charges: sql/0054_payment_providers.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0054_payment_providers"
down_revision = "0053_credited_days"


def upgrade() -> None:
    run_sql_file("0054_payment_providers.sql")
