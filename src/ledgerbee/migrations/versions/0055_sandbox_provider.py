"""The accounts of payment providers, and the provider that is built in: sql/0055_sandbox_provider.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0055_sandbox_provider"
down_revision = "0054_payment_providers"


def upgrade() -> None:
    run_sql_file("0055_sandbox_provider.sql")
