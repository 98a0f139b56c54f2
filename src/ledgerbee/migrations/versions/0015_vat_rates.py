"""Dated VAT rates, VAT as it stands on the voucher, and lines that say by which rate: sql/0015_vat_rates.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0015_vat_rates"
down_revision = "0014_lists"


def upgrade() -> None:
    run_sql_file("0015_vat_rates.sql")
