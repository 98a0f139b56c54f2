"""Guards of tables ask whether they see the rows that they decide by: a statement may change the company while it runs.

Row-level security asks at the start of a statement which company was entered; a trigger's own statements ask again.
What a statement writes into `app.company_id` in between must not make a guard blind.
"""

import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager
from pydantic import SecretStr
from sqlalchemy.engine import make_url
from tests.api.test_customer_credit import refund
from tests.api.test_dimensions import new_dimension, new_value
from tests.api.test_payments import pay
from tests.api.test_refunds import Refunder
from tests.company_copies import SECRET_KEY
from tests.conftest import (
    BLOBS,
    PUBLIC_URL,
    Api,
    SteeredClock,
    allow_any_moment,
    clone_template,
    drop_database,
    new_company,
    with_database,
)
from tests.drafting import drafted, plain
from tests.ledger_books import as_owner, books_of
from tests.selling import Shop, line

from ledgerbee.app.config import Settings
from ledgerbee.app.main import create_app
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.migrations.migrate import ensure_roles, migrate
from ledgerbee.platform.credentials.model import secret_hash
from ledgerbee.platform.db import APPLICATION_ROLE, Database
from ledgerbee.platform.secrets import SecretBox

#: Functions of triggers on tables that the API's role may write, which neither ask whether they see the row's company
#: nor set it themselves, and why they need not.
NO_TABLE = "reads no table of companies: the row itself says enough"
POSTING = "runs within post_entries() alone, which checks the company: the role may not add rows to the table itself"
QUEUE = "reads the queue, which has no policy, and compares with the company that is entered at the moment"
LOOKS_NOWHERE = {
    "enter_company_in_directory": NO_TABLE, "fn_pgqueuer_changed": NO_TABLE, "guard_company": NO_TABLE,
    "guard_delivery": NO_TABLE, "guard_events": NO_TABLE, "guard_incoming_answer": NO_TABLE,
    "guard_job_log": QUEUE, "guard_jobs": QUEUE,
    "guard_journal_entries": POSTING, "guard_plan_version": NO_TABLE, "guard_recipient": NO_TABLE,
    "keep_answer": NO_TABLE,
    "keep_booked_invoice": NO_TABLE, "keep_cancelled_invoice": NO_TABLE, "keep_charge_return": NO_TABLE,
    "keep_application_postings": NO_TABLE, "keep_staged_command_ends": NO_TABLE,
    "keep_credit_note": NO_TABLE,
    "keep_deferral": NO_TABLE, "keep_finished_charge": NO_TABLE, "keep_recognized": NO_TABLE,
    "keep_membership_directory": NO_TABLE,
    "keep_paid_movement": NO_TABLE, "keep_paid_payout": NO_TABLE,
    "keep_origin": NO_TABLE, "keep_payment": NO_TABLE, "keep_revoked": NO_TABLE,
    "keep_sent_order_confirmation": NO_TABLE, "keep_sent_quote": NO_TABLE, "keep_used_credit": NO_TABLE,
    "keep_write_off": NO_TABLE,
    "refuse_change_of_booked": NO_TABLE,
    "refuse_change_of_plan_version": NO_TABLE,
    "refuse_change_of_posted": NO_TABLE, "refuse_other_moment": NO_TABLE, "roll_up_stride": POSTING,
    "wake_company": NO_TABLE,
}  # fmt: skip
_ASKS = re.compile(
    r"\n    PERFORM check_row_company\((OLD|NEW)\.company_id\);"
    r"|\n    PERFORM check_row_company\(c\.company_id\) FROM \(SELECT DISTINCT n\.company_id FROM \w+ n\) c;"
    r"|\n    PERFORM set_config\('app\.company_id', NEW\.company_id::text, true\);"
)


async def test_each_guard_asks_whether_it_sees_its_company(database_url: str) -> None:
    owner = await as_owner(database_url)
    rows = await owner.fetch(
        "SELECT DISTINCT p.proname, p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
        " WHERE NOT t.tgisinternal AND (has_table_privilege($1, t.tgrelid, 'DELETE, TRUNCATE')"
        " OR has_any_column_privilege($1, t.tgrelid, 'INSERT, UPDATE'))",
        APPLICATION_ROLE,
    )
    of_companies = await owner.fetch("SELECT polrelid::regclass::text AS name FROM pg_policy")
    adds_entries = await owner.fetchval(
        "SELECT has_any_column_privilege($1, 'journal_entries', 'INSERT')", APPLICATION_ROLE
    )
    await owner.close()
    sources = {row["proname"]: row["prosrc"] for row in rows}
    asks = {name for name, source in sources.items() if _ASKS.search(source.partition("\nBEGIN")[2])}
    assert sources.keys() - asks == LOOKS_NOWHERE.keys(), "PERFORM check_row_company(...) comes first in a guard"
    assert not adds_entries
    table = rf"(?i)\m(FROM|JOIN|INTO|UPDATE)\s+(public\.)?({'|'.join(row['name'] for row in of_companies)})\M"
    pattern = re.compile(table.replace(r"\m", r"\b").replace(r"\M", r"\b"))
    found = {name for name in LOOKS_NOWHERE if pattern.search(sources[name])}
    assert found == {name for name, why in LOOKS_NOWHERE.items() if why is POSTING} - {"roll_up_stride"}


@dataclass
class Place:
    """A company with rows that guards keep, in a database; and another company in it."""

    url: str
    api: Api
    other: Api
    ids: dict[str, UUID]

    async def attempt(self, statement: str, change: str) -> str:
        """How a statement of the API's login ends that writes `change` as it runs: the SQLSTATE of what refuses it."""
        names = [name for name in self.ids if f":{name}" in statement]
        for place, name in enumerate(names, 1):
            statement = re.sub(rf":{name}\b", f"${place}::uuid", statement)
        login = make_url(self.url).set(username=APPLICATION_ROLE).render_as_string(hide_password=False)
        connection = await asyncpg.connect(login)
        try:
            await connection.execute("BEGIN")
            entered = "SELECT FROM enter_company($1, '{1}', '{}', now(), true)"
            assert await connection.fetch(entered, [secret_hash(self.api.key)]) == []
            # Rows in the order of their ids, as the attempts name them.
            await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
            await connection.execute(
                "INSERT INTO blob_leases VALUES ($1, sha256('x'), gen_random_uuid(), now())", self.api.company_id
            )
            written = await connection.fetch(statement.format(change=change), *(self.ids[name] for name in names))
            await connection.execute("COMMIT")
        except asyncpg.PostgresError as fault:
            return fault.sqlstate or ""
        finally:
            await connection.close()
        return "nothing refuses it" if written else "it finds no row"

    def changes(self) -> dict[str, str]:
        """What a statement can write to make a guard blind, as expressions of type text."""
        own, other = self.api.company_id, self.other.company_id
        proof = secret_hash(self.other.key).hex()
        enter = (
            f"(SELECT count(*) FROM enter_company(ARRAY['\\x{proof}'::bytea], '{{{{1}}}}', '{{{{}}}}', now(), true))"
        )
        turn = "set_config('app.company_id', CASE WHEN {} THEN '' ELSE '{}' END, true)"
        return {
            "no company": "set_config('app.company_id', '', true)",
            "a company without a proof": f"set_config('app.company_id', '{other}', true)",
            "no proof": "set_config('app.company_proof', '', true)",
            "another company that may be entered": enter.replace("{{", "{").replace("}}", "}") + "::text",
            "none, and back again": turn.format("current_setting('app.company_id') <> ''", own),
        }


async def _kept_rows(api: Api) -> dict[str, UUID]:
    """Rows that guards keep, each beside one of its kind, with a lower id, that nothing keeps."""
    shop, books = Shop(api), await books_of(api)
    unused_price, used_price = await shop.price("100"), await shop.price("100")
    sold = await shop.sold(line(used_price))
    await pay(shop, sold, "50")
    note = await shop.send_note(await shop.credit(await shop.sold(line(used_price))))
    refunded = await refund(shop, (await shop.send_note(await _free_note(shop, used_price)))["customerId"], "50")
    refunder = Refunder(api)
    await refunder.set_up()
    card_refund = await refunder.refund(await refunder.charged_for(await refunder.due()), "50")
    quote = await shop.offered(line(used_price))
    confirmation = await shop.order_confirmation(await shop.customer(), line(used_price))
    await shop.ok("POST", f"/v1/order-confirmations/{confirmation['id']}/send", {"deliveryType": "Manual"}, status=200)
    loose, loose_parent = await new_dimension(api, "Bil"), await new_dimension(api, "Hus")
    kept = await new_dimension(api, "Rum")
    unused_value = await new_value(api, kept, "A")
    used_value = await new_value(api, kept, "B")
    moved = await new_value(api, loose_parent, "A")
    top = await new_value(api, loose_parent, "B")
    below = await new_value(api, loose_parent, "C", top)
    unused_customer, used_customer = await books.customer("1"), await books.customer("2")
    await books.post(books.invoice("2026-01-15", used_customer))
    entry = (await books.post(books.sale("2026-01-15", "10", tag_ids=(UUID(used_value),))))[0]
    draft = await drafted(books, plain(books))
    monthly = await shop.price("100", billingPeriodType="RECURRING", billingInterval="month")
    plan = await shop.ok("POST", "/v1/subscription-plans", {"name": "Basis", "items": [{"priceId": monthly}]})
    assert (await api.post(f"/v2/draft-journal-entries/{draft['id']}/book")).status_code == 200
    found = {
        "company": api.company_id, "sold": sold["id"], "unused_price": unused_price, "used_price": used_price,
        "loose": loose, "kept": kept, "unused_value": unused_value, "used_value": used_value, "moved": moved,
        "top": top, "below": below, "unused_customer": unused_customer, "used_customer": used_customer,
        "entry": entry.id, "draft": draft["id"], "note": note["id"],
        "quote": quote["id"], "confirmation": confirmation["id"], "refund": refunded["id"],
        "plan": plan["id"], "card_refund": card_refund["id"],
    }  # fmt: skip
    return {name: UUID(str(value)) for name, value in found.items()}


async def _free_note(shop: Shop, price: str) -> Any:
    """A new credit note of no invoice."""
    body = {"customerId": await shop.customer(), "date": "2026-03-16", "lines": [line(price)]}
    return await shop.ok("POST", "/v1/credit-notes", body)


#: Whose functions see every row, as those of the embedded database do; and whose see what the policies show.
SUPERUSER, OWNER_ALONE = "an owner that is a superuser", "an owner without rights beyond its database"


@pytest_asyncio.fixture(scope="module", params=[SUPERUSER, OWNER_ALONE])
async def place(
    request: pytest.FixtureRequest, server_url: str, worker_id: str, module_clock: SteeredClock
) -> AsyncIterator[Place]:
    name = f"ledgerbee_guards_{os.getpid()}_{worker_id}"
    url = with_database(server_url, name)
    server = await asyncpg.connect(server_url)
    if request.param == SUPERUSER:
        await clone_template(server_url, name)
    else:
        await ensure_roles(server_url)
        await server.execute(f"CREATE ROLE {name} LOGIN NOINHERIT IN ROLE ledgerbee_app, ledgerbee_worker")
        await server.execute(f"CREATE DATABASE {name} OWNER {name}")
        url = make_url(url).set(username=name).render_as_string(hide_password=False)
        await migrate(url)
        await allow_any_moment(url)
    database = await Database.open(url, reactions=REACTIONS, max_size=3)
    database.public_url, database.secrets = PUBLIC_URL, SecretBox(lambda: [SECRET_KEY])
    app = create_app(
        url,
        Settings(attachments_dir=BLOBS.path, secret_keys=SecretStr(SECRET_KEY), public_url=PUBLIC_URL),
        clock=module_clock,
    )
    async with LifespanManager(app) as manager:
        transport = httpx.ASGITransport(manager.app, client=("127.0.0.1", 40000))
        async with httpx.AsyncClient(transport=transport, base_url="http://ledgerbee.test") as http:
            api, other = [await new_company(http, database, module_clock) for _ in range(2)]
            yield Place(url, api, other, await _kept_rows(api))
    await database.close()
    await drop_database(server_url, name)
    await server.execute(f"DROP ROLE IF EXISTS {name}")
    await server.close()


def _copied(table: str, of: str, changed: str) -> str:
    """Adds a copy of a row."""
    return (
        f"INSERT INTO {table} SELECT (jsonb_populate_record(r, jsonb_build_object({changed}))).* FROM {table} r"
        f" WHERE {of} LIMIT 1 RETURNING {{change}}"
    )


_ATTACH = "(company_id, id, {}, position, file_name, content_type, size, hash, created_at)"
_ATTACHED = "gen_random_uuid(), {}, 1, 'x.pdf', 'application/pdf', 1, sha256('x'), now() RETURNING {{change}}"
#: Statements that a guard refuses, by what they do, with the SQLSTATE that it does so with.
ATTEMPTS: dict[str, tuple[str, str]] = {
    "lines of a sent invoice go": ("DELETE FROM invoice_lines WHERE invoice_id = :sold RETURNING {change}", "LB430"),
    "a line comes to a sent invoice": (
        _copied("invoice_lines", "invoice_id = :sold", "'id', gen_random_uuid(), 'position', 99"),
        "LB430",
    ),
    "a line comes to a sent credit note": (
        _copied("credit_note_lines", "credit_note_id = :note", "'id', gen_random_uuid(), 'position', 99"),
        "LB430",
    ),
    "more of a charge is refunded than there is": (
        _copied("refunds", "id = :card_refund", "'id', gen_random_uuid(), 'reference', 'R7R7', 'amount', 1200.01"),
        "LB460",
    ),
    "lines of a sent quote go": ("DELETE FROM quote_lines WHERE quote_id = :quote RETURNING {change}", "LB436"),
    "a line comes to a sent quote": (
        _copied("quote_lines", "quote_id = :quote", "'id', gen_random_uuid(), 'position', 99"),
        "LB436",
    ),
    "lines of a sent order confirmation go": (
        "DELETE FROM order_confirmation_lines WHERE order_confirmation_id = :confirmation RETURNING {change}",
        "LB436",
    ),
    "a line comes to a sent order confirmation": (
        _copied(
            "order_confirmation_lines",
            "order_confirmation_id = :confirmation",
            "'id', gen_random_uuid(), 'position', 99",
        ),
        "LB436",
    ),
    "lines of a booked draft go": (
        "DELETE FROM draft_journal_lines WHERE draft_id = :draft RETURNING {change}",
        "LB431",
    ),
    "a line comes to a booked draft": (
        _copied("draft_journal_lines", "draft_id = :draft", "'id', gen_random_uuid(), 'line_number', 99"),
        "LB431",
    ),
    "a file comes to a booked draft": (
        f"INSERT INTO draft_attachments {_ATTACH.format('draft_id')} SELECT :company, {_ATTACHED.format(':draft')}",
        "LB431",
    ),
    "a file comes to a posted entry": (
        f"INSERT INTO journal_attachments {_ATTACH.format('entry_id')} SELECT :company, {_ATTACHED.format(':entry')}",
        "LB432",
    ),
    "a used price costs something else": (
        "UPDATE prices SET unit_amount = 1 WHERE id IN (:unused_price, :used_price) RETURNING {change}",
        "23001",
    ),
    "a used value goes": (
        "DELETE FROM dimension_values WHERE id IN (:unused_value, :used_value) RETURNING {change}",
        "23503",
    ),
    "a used value goes, as the condition says": (
        "DELETE FROM dimension_values WHERE id = :used_value AND {change} IS NOT NULL RETURNING id",
        "23503",
    ),
    "a dimension in use becomes unique": (
        "UPDATE dimensions SET is_unique = true WHERE id IN (:loose, :kept) RETURNING {change}",
        "23503",
    ),
    "a value moves below itself": (
        "UPDATE dimension_values SET parent_id = :below WHERE id IN (:moved, :top) RETURNING {change}",
        "23514",
    ),
    "a customer with entries becomes another": (
        "UPDATE customers SET id = gen_random_uuid() WHERE id IN (:unused_customer, :used_customer) RETURNING {change}",
        "23503",
    ),
    "an invoice is paid by nothing": (
        "UPDATE invoices SET status = 'paid' WHERE id = :sold RETURNING {change}",
        "LB426",
    ),
    "credit is used again": (_copied("credit_uses", "id = :refund", "'id', gen_random_uuid()"), "LB449"),
    "a part comes to a use of credit": (_copied("credit_use_parts", "use_id = :refund", "'position', 99"), "LB449"),
    "an alternative comes to a version of a plan": (
        _copied(
            "subscription_plan_cadences",
            "plan_id = :plan",
            "'position', 1, 'billing_interval', 'year', 'billing_interval_count', 9",
        ),
        "LB451",
    ),
    "a price comes to a version of a plan": (
        _copied("subscription_plan_items", "plan_id = :plan", "'position', 9, 'price_id', :unused_price"),
        "LB451",
    ),
    "a payment is taken back by nothing": (
        "UPDATE payments SET reversed_at = now(), reversal_entry_id = journal_entry_id RETURNING {change}",
        "LB427",
    ),
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_a_statement_that_changes_the_company(place: Place, attempt: str) -> None:
    statement, refused_by = ATTEMPTS[attempt]
    assert await place.attempt(statement, "''::text") == refused_by
    for what, change in place.changes().items():
        assert await place.attempt(statement, change) in {refused_by, "LB403", "it finds no row"}, what


async def test_each_guard_is_attempted(database_url: str) -> None:
    """Every guard that asks is among the attempts; those of accounts and vendors keep what the role can't write."""
    owner = await as_owner(database_url)
    rows = await owner.fetch(
        "SELECT DISTINCT t.tgrelid::regclass::text AS name FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
        " WHERE p.prosrc ~ 'check_row_company' AND (has_table_privilege($1, t.tgrelid, 'DELETE')"
        " OR has_any_column_privilege($1, t.tgrelid, 'INSERT, UPDATE'))",
        APPLICATION_ROLE,
    )
    await owner.close()
    attempted = {statement.split()[1 if statement.startswith("UPDATE") else 2] for statement, _ in ATTEMPTS.values()}
    assert {row["name"] for row in rows} - attempted == {"accounts", "vendors"}


async def test_what_nothing_keeps_is_changed(place: Place) -> None:
    statement = "UPDATE prices SET unit_amount = unit_amount + 1 WHERE id = :unused_price RETURNING {change}"
    assert await place.attempt(statement, "''::text") == "nothing refuses it"


@pytest.mark.parametrize("place", [SUPERUSER], indirect=True)
async def test_whom_row_level_security_does_not_bind_enters_no_company(place: Place) -> None:
    owner = await as_owner(place.url)
    change = "UPDATE prices SET unit_amount = 7 WHERE id = $1"
    assert await owner.execute(change, place.ids["unused_price"]) == "UPDATE 1"
    with pytest.raises(asyncpg.RestrictViolationError):
        await owner.execute(change, place.ids["used_price"])
    await owner.close()
