"""Jobs that gave up, mails that were refused and logos that are drawn anew: sql/0022_deliveries.sql."""

from alembic import op

from ledgerbee.migrations.run_sql import run_sql_file
from ledgerbee.tenancy.company.logo import UnreadableLogo, redrawn

revision = "0022_deliveries"
down_revision = "0021_audit_trail"


def upgrade() -> None:
    run_sql_file("0022_deliveries.sql")
    _draw_logos_anew()


def _draw_logos_anew() -> None:
    """Logos of before: what is PNG or JPEG is drawn anew. What can't be stays, and is printed no more."""
    bind = op.get_bind()
    for (company_id,) in bind.exec_driver_sql("SELECT company_id FROM company_directory").fetchall():
        bind.exec_driver_sql("SELECT set_config('app.company_id', $1, true)", (str(company_id),))
        content = bind.exec_driver_sql("SELECT logo FROM companies WHERE company_id = $1", (company_id,)).scalar()
        if content is None:
            continue
        try:
            logo = redrawn(content)
        except UnreadableLogo:
            continue
        bind.exec_driver_sql(
            "UPDATE companies SET logo = $2, logo_format = $3 WHERE company_id = $1",
            (company_id, logo.content, logo.form),
        )
    bind.exec_driver_sql("SELECT set_config('app.company_id', '', true)")
