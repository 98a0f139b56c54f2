"""What is in the tables, whatever tables there are: the catalogue names them, so that no list can lack a new one."""

from collections import defaultdict

from tests.conftest import Api

from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import Context

#: Tables, partitioned ones as a whole; with `company_id` those of companies, which are behind row-level security
#: (tests/contract/test_tenant_isolation.py).
_TABLES = """
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
AND ($1::text IS NULL OR EXISTS (
    SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = $1 AND NOT a.attisdropped
))
ORDER BY c.relname
"""


async def rows_of(api: Api, *, with_versions: bool = False) -> dict[str, list[str]]:
    """Every row that the company has, as text, by table; its jobs too. Tables without any are left out.

    With versions the text says which transaction wrote the row: it differs where a row was written as it was.
    """
    version = "t.xmin::text || ' ' || " if with_versions else ""

    async def work(context: Context) -> dict[str, list[str]]:
        await context.connection.execute("SET LOCAL ROLE NONE")  # the API's role doesn't see all of it
        names = [row["relname"] for row in await context.connection.fetch(_TABLES, "company_id")]
        parts = [
            f"SELECT '{name}' AS name, {version}t::text AS row FROM \"{name}\" t WHERE company_id = $1"
            for name in names
        ]
        parts.append(
            "SELECT 'pgqueuer', t::text FROM pgqueuer t"
            " WHERE convert_from(payload, 'UTF8')::json ->> 'companyId' = $1::text"
        )
        found: dict[str, list[str]] = defaultdict(list)
        for row in await context.connection.fetch(" UNION ALL ".join(parts) + " ORDER BY 1, 2", context.company_id):
            found[row["name"]].append(row["row"])
        return dict(found)

    rows: dict[str, list[str]] = await api.run(work)
    return rows


def holds(rows: dict[str, list[str]], text: str) -> bool:
    """Whether any of the rows has a text in it, in a column of text or of bytes."""
    return any(form in row for form in (text, text.encode().hex()) for found in rows.values() for row in found)


async def counts(connection: Connection) -> dict[str, int]:
    """How many rows every table of the database has."""
    names = [row["relname"] for row in await connection.fetch(_TABLES, None)]
    parts = [f"SELECT '{name}' AS name, count(*) AS rows FROM \"{name}\"" for name in names]
    return {row["name"]: row["rows"] for row in await connection.fetch(" UNION ALL ".join(parts))}
