"""Pages of lists of 200,000 documents of each kind: any page against the first, and each kind against invoices.

Limits: the 99th percentile of a page's time within 3 times the first page's median, as of every list; the median of any
page within 1.5 times that of the same list of invoices.
"""

import asyncio
import json
import os
import random
import statistics
from dataclasses import dataclass
from typing import Final

import asyncpg
from bench.list_pages import LIMIT, ROWS, timed
from bench.support import Books, Connection, books, connect, fill, server, verdict

from ledgerbee.app.main import create_app

#: Pages that are read of each list: there are over eighty.
SAMPLES: Final = 40
#: How much longer than those of invoices a kind's pages may take.
SAME: Final = 1.5

_CUSTOMERS: Final = """
INSERT INTO customers (company_id, id, number, customer_type, name, vat_zone, customer_group_id, country_code, currency,
    created_at, updated_at)
SELECT $1, gen_random_uuid(), n, 'company', 'Customer ' || n, 'domestic', g.id, 'DK', 'DKK', now(), now()
FROM (SELECT id FROM customer_groups WHERE company_id = $1 LIMIT 1) g CROSS JOIN generate_series(1, 100) n
"""
_COMMON: Final = (
    "company_id, id, customer_id, issue_date, currency, reference, notes, subtotal, vat, amount, created_at, updated_at"
)


@dataclass(frozen=True)
class Kind:
    """A kind of document: its path, its table, the columns and values that only it has, its sorts and statuses.

    The state of document number `n` goes by `n % 10`; 0 is a draft.
    """

    name: str
    path: str
    own: dict[str, str]
    sorts: tuple[str, ...]
    statuses: tuple[str, ...]
    sign: str = ""
    table: str = ""


_NUMBER: Final = {"number": "n::text", "number_sequence": "n"}
_ENTRY: Final = {
    "receivable_account_id": "a.id", "exchange_rate": "1", "base_amount": "{sign}(1 + n % 9973) * 1.25",
    "journal_entry_id": "e.id",
}  # fmt: skip


def _unless_draft(columns: dict[str, str]) -> dict[str, str]:
    return {name: f"CASE WHEN n % 10 > 0 THEN {value} END" for name, value in columns.items()}


KINDS: Final = (
    Kind(
        "invoices", "/api/v1/invoices",
        {
            **_unless_draft({**_NUMBER, **_ENTRY, "sent_at": "d.at"}), "due_date": "d.day + 14",
            "payment_terms_days": "14", "description": "'Delivery ' || n",
            "status": "(ARRAY['draft', 'sent', 'sent', 'sent', 'sent', 'sent', 'sent', 'sent', 'scheduled', 'sending'])"
            "[1 + n % 10]",
        },
        ("date", "number", "amount", "createdAt"), ("draft", "sent", "scheduled"),
    ),
    Kind(
        "credit notes", "/api/v1/credit-notes",
        {
            **_NUMBER, **_unless_draft({**_ENTRY, "sent_at": "d.at"}), "description": "'Delivery ' || n",
            "status": "(ARRAY['draft', 'sent', 'sent', 'sent', 'sent', 'sent', 'sent', 'sent', 'scheduled', 'sending'])"
            "[1 + n % 10]",
        },
        ("date", "number", "amount", "createdAt"), ("draft", "sent", "scheduled"), sign="-", table="credit_notes",
    ),
    Kind(
        "quotes", "/api/v1/quotes",
        {
            **_unless_draft({**_NUMBER, "sent_at": "d.at"}), "valid_until": "CASE WHEN n % 7 > 0 THEN d.day + 30 END",
            "answered_at": "CASE WHEN n % 10 IN (8, 9) THEN d.at END",
            "status": "(ARRAY['draft', 'sent', 'sent', 'sent', 'sent', 'sent', 'sent', 'sent', 'accepted', 'rejected'])"
            "[1 + n % 10]",
        },
        ("date", "documentNumber", "amount", "status", "validUntil"), ("draft", "sent", "expired", "accepted"),
    ),
    Kind(
        "order confirmations", "/api/v1/order-confirmations",
        {
            **_unless_draft({**_NUMBER, "sent_at": "d.at"}),
            "status": "(ARRAY['draft', 'sent', 'sent', 'sent', 'sent', 'sent', 'sent', 'sent', 'sent', 'sent'])"
            "[1 + n % 10]",
        },
        ("date", "documentNumber", "amount", "status"), ("draft", "sent"), table="order_confirmations",
    ),
)  # fmt: skip


def _table(kind: Kind) -> str:
    return kind.table or kind.name


def _insert(kind: Kind) -> str:
    """All documents of a kind: each on one of 100 customers, over five years, amounts up to 10,000."""
    own = {name: value.format(sign=kind.sign) for name, value in kind.own.items()}
    net = f"{kind.sign}(1 + n % 9973)"
    return f"""
INSERT INTO {_table(kind)} ({_COMMON}, {", ".join(own)})
SELECT $1, (lpad(to_hex(n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, c.ids[1 + n / 10 % 100], d.day,
       'DKK', 'PO-' || n, repeat('Thank you for your trade. ', 5), {net}, {net} * 0.25, {net} * 1.25, d.at, d.at,
       {", ".join(own.values())}
FROM generate_series(1, {ROWS}) n
CROSS JOIN LATERAL (SELECT date '2021-01-01' + (n::bigint * 1826 / {ROWS})::int AS day,
                           timestamptz '2021-01-01' + n * interval '13 minutes' AS at) d
CROSS JOIN (SELECT array_agg(id ORDER BY number) AS ids FROM customers WHERE company_id = $1) c
CROSS JOIN (SELECT id FROM accounts WHERE company_id = $1 AND control_account_type = 'ACCOUNTS_RECEIVABLE' LIMIT 1) a
JOIN journal_entries e ON e.company_id = $1 AND e.chain_position = n
"""


#: One delivery in a hundred failed for good.
_DELIVERIES: Final = """
INSERT INTO deliveries (company_id, id, document_type, document_id, delivery_type, recipient, status, created_at,
    updated_at, is_latest)
SELECT company_id, gen_random_uuid(), $2, id, 'Email', 'a@b.example',
       CASE WHEN number_sequence % 100 = 1 THEN 'failed' ELSE 'delivered' END, created_at, created_at, true
FROM {} WHERE company_id = $1 AND sent_at IS NOT NULL
"""
_LINKS: Final = """
INSERT INTO quote_links (company_id, id, quote_id, secret)
SELECT company_id, id, id, 'lbq_00.' || md5(id::text) FROM quotes WHERE company_id = $1 AND sent_at IS NOT NULL
"""


async def fill_documents(found: Books) -> str:
    """Give the company 200,000 documents of each kind, as the owner; the id of one of its customers."""
    await fill(found, 2 * ROWS, settle=False)
    connection = await asyncpg.connect(found.url)
    await connection.execute("SET synchronous_commit = off; SET jit = off")
    await connection.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))
    await connection.execute(_CUSTOMERS, found.company_id)
    for kind in KINDS:
        table = _table(kind)
        async with connection.transaction():
            await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            await connection.execute(_insert(kind), found.company_id)
        await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        await connection.execute(_DELIVERIES.format(table), found.company_id, table.removesuffix("s"))
    await connection.execute(_LINKS, found.company_id)
    await connection.execute("VACUUM ANALYZE")
    customer = await connection.fetchval("SELECT id FROM customers WHERE company_id = $1 LIMIT 1", found.company_id)
    await connection.close()
    return str(customer)


def lists_of(kind: Kind, customer: str) -> dict[str, str]:
    """The queries of a kind's list, by what they ask for; the same ones have the same name in every kind."""
    sorts = {
        f"by {'number' if 'umber' in sort else sort}{', ascending' if order == 'ASC' else ''}": (
            f"&sortBy={sort}&sortOrder={order}"
        )
        for sort in kind.sorts
        for order in ("DESC", "ASC")
    }
    statuses = {f"status {status}": f"&status={status}" for status in kind.statuses}
    by_amount = {f"status {status}, by amount": f"&status={status}&sortBy=amount" for status in kind.statuses}
    return {
        "as it comes": "", **sorts, **statuses, **by_amount,
        "of a customer": f"&customerId={customer}",
        "of a customer, by amount": f"&customerId={customer}&sortBy=amount",
        "of a customer, sent": f"&customerId={customer}&status=sent",
        "number 19...": "&search=19",
        "delivery failed": "&deliveryStatus=failed",
        "delivered": "&deliveryStatus=delivered",
        "number 19..., delivered": "&deliveryStatus=delivered&search=19",
        "of a customer, delivered": f"&deliveryStatus=delivered&customerId={customer}",
    }  # fmt: skip


async def figures_of(connection: Connection, path: str, key: str) -> tuple[int, float, float, float]:
    """Rows, and milliseconds: median of the first page, median and 99th percentile of any page."""
    chance = random.Random(7)
    _, body = await timed(connection, path, 1, key)
    answer = json.loads(body)
    pages = answer["totalPages"]
    for page in (1, max(1, pages // 2), pages):
        await timed(connection, path, page, key)
    first, any_page = [], []
    for sample in range(SAMPLES):
        if sample % 5 == 0:
            first.append((await timed(connection, path, 1, key))[0])
        any_page.append((await timed(connection, path, chance.randint(1, pages), key))[0])
    return (
        answer["total"], statistics.median(first), statistics.median(any_page),
        statistics.quantiles(any_page, n=100)[98],
    )  # fmt: skip


async def measure(port: int, found: Books, customer: str) -> None:
    """Print each list of each kind with its figures, invoices first."""
    of_invoices: dict[str, float] = {}
    async with connect(port) as connection:
        for kind in KINDS:
            for name, query in lists_of(kind, customer).items():
                total, first, median, p99 = await figures_of(connection, f"{kind.path}?limit=25{query}", found.key)
                against = median / of_invoices.setdefault(name, median)
                print(
                    f"{kind.name} {name:28} {total:7,} rows   first page {first:5.1f} ms   any page median"
                    f" {median:5.1f} ms   p99 {p99:5.1f} ms   ratio {p99 / first:.2f} ({verdict(p99 / first, LIMIT)})"
                    f"   to invoices {against:.2f} ({verdict(against, SAME)})",
                    flush=True,
                )


def main() -> None:
    """Fill, serve, measure."""
    os.environ["LEDGERBEE_PUBLIC_URL"] = "http://127.0.0.1"  # quotes tell the addresses of their pages
    with books() as found:
        customer = asyncio.run(fill_documents(found))
        with server(create_app, found.url) as port:
            asyncio.run(measure(port, found, customer))


if __name__ == "__main__":
    main()
