"""What someone can do who has the API's login to the database and nothing else, tried as SQL.

A new table or function fails the first tests until it stands in their lists: that is the decision what the API may do
with it.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from msgspec import structs
from tests.api.test_customer_credit import apply, give, overpaid, refund, sell
from tests.api.test_imports import lines, row, send
from tests.api.test_ledger_sql import call_at
from tests.api.test_payments import pay
from tests.conftest import Api
from tests.ledger_books import Books, allow_temporary_tables, as_owner, books_of, enter
from tests.selling import Shop, line

from ledgerbee.core.ids import new_id
from ledgerbee.core.money import is_commodity
from ledgerbee.ledger.entries.model import EntryToPost
from ledgerbee.platform.credentials.model import secret_hash
from ledgerbee.platform.job_queue import SETTINGS

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

#: What the API's role may do with each table, and on some with single columns.
TABLES = {
    "INSERT SELECT": "charge_returns provider_events sandbox_events sandbox_refunds"
    " reconciliation_differences reconciliations"
    " credit_note_lines credit_use_parts credit_uses customer_groups delivery_recipients"
    " billing_run_results document_snapshots e_invoice_answers events import_errors incoming_messages"
    " journal_attachments revenue_deferral_credits revenue_recognitions subscription_plan_cadences"
    " subscription_plan_items subscription_plan_versions subscription_versions usage_import_errors vendor_groups",
    "INSERT SELECT UPDATE(amount_left base_amount_left next_month)": "revenue_deferrals",
    "DELETE INSERT SELECT": "blob_leases draft_attachments draft_journal_lines import_parts invoice_lines"
    " order_confirmation_lines quote_lines quote_links spent_request_states usage_import_parts vat_code_rates",
    "INSERT SELECT UPDATE": "companies contacts credit_notes customers departments"
    " idempotency_keys"
    " journal_imports order_confirmations quotes test_clocks"
    " payment_providers webhook_deliveries webhook_endpoints",
    "INSERT SELECT UPDATE(card_mask card_type customer_id expiry_month expiry_year is_default label status told_expiry"
    " updated_at)": "payment_methods",
    "INSERT SELECT UPDATE(behavior expiry_month expiry_year mask status type updated_at)": "sandbox_cards",
    "INSERT SELECT UPDATE(decline_code disputed_at status updated_at)": "sandbox_charges",
    "INSERT SELECT UPDATE(action_url asked_at cancel_asked_at cancel_code confirm_by decline_code decline_message"
    " finished_at is_soft_decline payment_id provider_id retry_on status unapplied_amount unapplied_entry_id"
    " updated_at)": "charges",
    "INSERT SELECT UPDATE(asked_at failure_code failure_message finished_at provider_id status updated_at)": "refunds",
    "INSERT SELECT UPDATE(amount ended_at fee reason status updated_at)": "disputes",
    "INSERT SELECT UPDATE(payment_method_id provider_id status updated_at url)": "card_links",
    "INSERT SELECT UPDATE(bank_account_id base_amount cleared_amount cleared_base_amount clearing_account_id"
    " exchange_rate fee_amount journal_entry_id left_amount left_base_amount named_account_id status"
    " unidentified_amount updated_at waits_for)": "payouts",
    "INSERT SELECT UPDATE(account_id base_amount charge_id cleared_amount dispute_id payout_id payout_name refund_id"
    " unidentified_amount updated_at)": "payout_movements",
    "INSERT SELECT UPDATE(archived_at status)": "meters",
    "INSERT SELECT UPDATE(approval_asked_at committed_at decided_at decided_by decision expires_at replaced_at"
    " result)": "staged_commands",
    "INSERT SELECT UPDATE(amount)": "application_postings",
    "INSERT SELECT UPDATE(automatic_billing awaits_payment billed_until customer_department_id"
    " department_contact_override_id emitted_until ends_on first_invoice_id is_cancelled is_paused name next_run_on"
    " pay_by payment_method_id plan_id updated_at version)": "subscriptions",
    "INSERT SELECT UPDATE(billed_until carried next_billing_date)": "billing_schedules",
    "INSERT SELECT UPDATE(code completed_at credit_notes invoices message processed refused skipped started_at status"
    " updated_at)": "billing_runs",
    "INSERT SELECT UPDATE(events last_at last_id last_value max sum too_late withdrawn)": "usage_days",
    "INSERT SELECT UPDATE(failure status updated_at)": "subscription_changes",
    "DELETE INSERT SELECT UPDATE(billed_until)": "metered_spans",
    "DELETE INSERT SELECT UPDATE(events is_counted)": "late_usage",
    "INSERT SELECT UPDATE(credit_note_id credit_note_net invoice_id invoice_line_id net waits)": "subscription_charges",
    "INSERT SELECT UPDATE(day metadata named_subscription_id occurred_at received_on state subscription_id"
    " value)": "usage_events",
    "INSERT SELECT UPDATE(cancelled_at closed_at events reverted_at status superseded)": "usage_backfills",
    "INSERT SELECT UPDATE(state_before)": "usage_backfill_events",
    "DELETE INSERT SELECT UPDATE": "draft_journal_entries invoices prices product_groups products usage_imports",
    "INSERT SELECT UPDATE(is_active name vat_code_id)": "accounts",
    "INSERT SELECT UPDATE(revoked_at)": "api_keys",
    "INSERT SELECT UPDATE(rate updated_at)": "company_exchange_rates",
    "DELETE INSERT SELECT(company_id expires_at ip_allowlist kind made_by resource scopes subject_id user_id version)"
    " UPDATE(ip_allowlist scopes version)": "credentials",
    "INSERT SELECT UPDATE(details draft_journal_entry_id drafted_at updated_at vendor_id)": "incoming_documents",
    "INSERT SELECT UPDATE(status updated_at)": "incoming_answers",
    "INSERT SELECT UPDATE(is_default)": "journal_categories",
    "DELETE INSERT SELECT UPDATE(role updated_at)": "memberships",
    "INSERT SELECT UPDATE(accepted_at revoked_at)": "invitations",
    "INSERT SELECT UPDATE(daily_limit expires_at last_used_at revoked_at revoked_because scopes)": "connections",
    "INSERT SELECT UPDATE(used_at)": "authorization_codes",
    "INSERT SELECT UPDATE(rotated_at successor)": "refresh_tokens",
    "INSERT SELECT UPDATE(accent_color footer_text intro_text is_default language name payment_text"
    " shows_logo)": "document_templates",
    "INSERT SELECT UPDATE(ip_allowlist name revoked_at scopes)": "oauth_clients",
    "INSERT SELECT UPDATE(is_active name)": "vat_codes",
    "INSERT SELECT UPDATE(updated_at)": "vendors",
    "SELECT": "account_days account_months attached_blobs exchange_rates fiscal_years journal_lines ledgers"
    " number_series tag_months delivery_attempts sent_messages e_invoices incoming_answer_attempts alembic_version"
    " cell_mark daily_runs",
    "": "application_trust company_directory daily_wakes interrupted_jobs last_backup membership_directory passkeys"
    " pgqueuer_schedules pgqueuer_statistics rate_limit_hits recovery_codes registered_clients sign_in_steps"
    " user_sessions users webhook_companies",
    "INSERT SELECT UPDATE(is_latest)": "deliveries",
    "INSERT SELECT UPDATE(is_listened last_position)": "event_counters",
    "INSERT(entrypoint job_id priority status)": "pgqueuer_log",
    "DELETE INSERT SELECT UPDATE(name parent_id updated_at)": "dimension_values",
    "DELETE INSERT SELECT UPDATE(is_archived is_unique name updated_at)": "dimensions",
    "SELECT UPDATE(external_system_id reference)": "journal_entries",
    "INSERT SELECT UPDATE(display_order name status updated_at vanity version)": "subscription_plans",
    "INSERT SELECT UPDATE(reversal_entry_id reversed_at)": "payments write_offs",
    "INSERT(dedupe_key entrypoint execute_after headers id payload priority status)"
    " SELECT(dedupe_key entrypoint execute_after id priority status)": "pgqueuer",
    "INSERT SELECT UPDATE(budget_amount budget_hours color currency customer_id end_date external_reference start_date"
    " updated_at)": "projects",
    "DELETE INSERT SELECT UPDATE(budget_amount budget_hours sort_order)": "subprojects",
}
#: What the worker's role may do beyond that.
WORKERS_TABLES = {
    "DELETE INSERT SELECT UPDATE": {
        "daily_runs", "interrupted_jobs", "pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics",
    },
    "INSERT SELECT": {"delivery_attempts", "sent_messages", "e_invoices", "incoming_answer_attempts"},
    "INSERT SELECT UPDATE(reason status updated_at)": {"delivery_recipients"},
    "INSERT SELECT UPDATE(is_latest status updated_at)": {"deliveries"},
}  # fmt: skip
#: Functions that the API's role may call, and why each may be: what it takes of a company. All others are nobody's.
ENTERED = "works on the company that the transaction has entered: takes it as its first argument, refuses any other"
SECRET = "takes the hash of a credential, or the secret of an upload, which only their owners know"
SIGN_IN = "takes the hash of what only a browser has, or a link, or what only a password makes"
BARE = "sees what its caller sees: no rights of its own, or no table"
FUNCTIONS = {
    "add_fiscal_year": ENTERED, "check_row_company": BARE, "current_company": "says which company was entered",
    "earliest_turn": ENTERED,
    "enter_company": SECRET, "enter_new_company": "enters none that there is", "fiscal_year_around": BARE,
    "give_up_upload": SECRET, "hold_ledger": ENTERED, "job_company": BARE, "last_turn": ENTERED, "make_room": ENTERED,
    "open_ledger": ENTERED, "post_entries": ENTERED, "price_is_used": BARE, "resolve_credential": SECRET,
    "revoke_token": ENTERED, "rolled_up_through": BARE, "set_lock_date": ENTERED,
    "set_webhooks_due": ENTERED,
    "take_numbers": ENTERED,
    "take_rate_limit_hit": "counts calls to the token endpoint, of no company: it can use up a bucket's places",
    "find_registered_client": "tells of an application that registered itself what it said, and whether a hash is its",
    "register_client": "adds an application that gets in nowhere by itself; it can have unused ones forgotten",
    "use_registered_client": "keeps an application from being forgotten for a month",
    "uses_of_price": BARE,
    "visible_company": "says what its caller has written; policies ask it, for the role that they run for",
    **dict.fromkeys(
        (
            "account_of_session", "add_passkey", "ask_for_new_passkey", "begin_sign_in", "change_account",
            "change_password", "companies_of_session", "count_wrong_code", "end_other_sessions", "end_session",
            "find_reset_link", "find_second_factor", "find_session", "finish_sign_in", "open_company", "remove_passkey",
            "renew_recovery_codes", "reset_password", "set_totp", "take_passkey_challenge",
        ),
        SIGN_IN,
    ),
    "add_invited_user": ENTERED, "is_invited_known": ENTERED, "members_of": ENTERED,
    "ask_for_passkey": "keeps a challenge of nobody's",
    "ask_for_reset": "has the worker mail a link to its owner, and tells nothing",
    "password_parameters": "tells the same of an address that nobody has",
    "sign_in_by_passkey": "trusts the API with signatures of passkeys: docs/operations/security.md",
}  # fmt: skip
#: What each that works on the company that was entered is called with, beside the company.
CALLS = {
    "add_fiscal_year": "gen_random_uuid(), '2027-01-01', '2027-12-31'",
    "add_invited_user": "gen_random_uuid(), gen_random_uuid(), 'x', 'da', 'x', 'x', 'x', gen_random_uuid(), 'x', 'x',"
    " 'x', now()",
    "earliest_turn": "'import_journal_entries'",
    "hold_ledger": "",
    "is_invited_known": "gen_random_uuid()",
    "last_turn": "'import_journal_entries'",
    "make_room": "'import_journal_entries', 60",
    "members_of": "",
    "open_ledger": "'DKK', 2, gen_random_uuid(), '2027-01-01', '2027-12-31'",
    "post_entries": None,
    "revoke_token": "gen_random_uuid(), 'x'",
    "set_lock_date": "'2026-12-31', true",
    "set_webhooks_due": "now()",
    "take_numbers": "'invoice', 1",
}
#: Functions with rights of their own that take no company, or another one than was entered, and why. Triggers aside:
#: nobody calls these, and their row says the company.
OF_NO_COMPANY = {
    "claim_webhooks": "over all companies, for the worker",
    "due_companies": "over all companies, for the worker",
    "current_company": "says which company was entered",
    "enter_company": "enters the company of a credential",
    "enter_company_for_job": "enters a company, for the worker",
    "enter_new_company": "enters a company that is not there yet",
    "give_up_upload": "called without a transaction of a company: takes the secret of the upload",
    "find_registered_client": "of no company: takes the id of an application that registered itself",
    "purge_authorizations": "over all companies, for the worker",
    "purge_expired": "over all companies, for the worker",
    "register_client": "of no company: adds an application, which gets in nowhere by itself",
    "use_registered_client": "of no company: notes that an application is used",
    "purge_staged_commands": "over all companies, for the worker",
    "purge_webhook_deliveries": "over all companies, for the worker",
    "release_webhooks": "gives back what the worker has claimed",
    "resolve_credential": "finds the company of a credential",
    "set_daily_wake": "for the worker, which enters any company; it checks which one",
    "silent_uploads": "over all companies, for the worker",
    "silent_usage_uploads": "over all companies, for the worker",
    "stale_blob_leases": "over all companies, for the worker",
    "take_rate_limit_hit": "counts calls before anything is known of the client",
    "visible_company": "asked by the policies: it says which company rows are seen of",
    **{name: why for name, why in FUNCTIONS.items() if why is SIGN_IN},
    "add_reset_link": "for the worker, which mails links",
    "add_user": "for commands",
    "ask_for_passkey": "of nobody",
    "ask_for_reset": "finds a company of whoever has an address",
    "find_user": "for commands",
    "password_parameters": "of whoever has an address",
    "sign_in_by_passkey": "of whoever has a passkey",
}
#: Those of the worker's role beyond that: it acts for every company.
WORKERS_FUNCTIONS = {
    "add_reset_link", "add_user", "claim_webhooks", "due_companies", "enter_company_for_job", "find_user",
    "purge_authorizations", "purge_expired", "purge_staged_commands",
    "purge_webhook_deliveries", "release_webhooks", "set_daily_wake", "silent_uploads", "silent_usage_uploads",
    "stale_blob_leases",
}  # fmt: skip
#: Functions of PostgreSQL that are anybody's by themselves, and here only an administrator's.
TAKEN_AWAY = (
    "lo_create(0)", "lo_creat(-1)", "lo_from_bytea(0, 'x')", "pg_cancel_backend(0)", "pg_terminate_backend(0)",
    "pg_prepared_statement()", "pg_cursor()", "pg_stat_get_activity(0)", "pg_stat_get_backend_activity(0)",
)  # fmt: skip
SEQUENCES = {"pgqueuer_id_seq", "pgqueuer_log_id_seq", "pgqueuer_schedules_id_seq", "pgqueuer_statistics_id_seq"}

_PRIVILEGES = """
SELECT c.relname, coalesce((
    SELECT string_agg(
        CASE WHEN has_table_privilege($1, c.oid, p) THEN p ELSE p || '(' || columns || ')' END, ' ' ORDER BY p)
    FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES', 'MAINTAIN']) AS p
    LEFT JOIN LATERAL (
        SELECT string_agg(a.attname, ' ' ORDER BY a.attname) AS columns FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          AND p IN ('SELECT', 'INSERT', 'UPDATE') AND has_column_privilege($1, c.oid, a.attnum, p)) l ON true
    WHERE columns IS NOT NULL OR p IN ('DELETE', 'TRUNCATE', 'TRIGGER') AND has_table_privilege($1, c.oid, p)
), '') AS privileges
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""


@pytest_asyncio.fixture
async def owner(database_url: str) -> AsyncIterator[Connection]:
    connection = await as_owner(database_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    books = await books_of(api)
    await books.post(books.sale("2026-01-15", "1.00"))
    return books


@pytest_asyncio.fixture
async def stolen(books: Books, owner: Connection) -> AsyncIterator[Connection]:
    """A transaction of the API's role that has entered the books' company, under the clock bounds of real use."""
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute("UPDATE application_trust SET clock_tolerance = '1 hour'")
    await enter(owner, books.api.company_id)
    yield owner
    await transaction.rollback()


async def refused(connection: Connection, statement: str, *arguments: Any) -> str:
    """The SQLSTATE that a statement ends in, with what is checked at COMMIT checked at once."""
    try:
        async with connection.transaction():
            await connection.fetch(statement, *arguments)
            await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except asyncpg.PostgresError as fault:
        return fault.sqlstate or ""
    return "nothing refuses it"


NOT_ALLOWED = asyncpg.InsufficientPrivilegeError.sqlstate


async def test_each_table_has_its_privileges(owner: Connection) -> None:
    expected = {name: privileges for privileges, names in TABLES.items() for name in names.split()}
    found = {row["relname"]: row["privileges"] for row in await owner.fetch(_PRIVILEGES, "ledgerbee_app")}
    assert found == expected, "a new table, and what the API's role may do with it, goes into `TABLES`"
    for privileges, names in WORKERS_TABLES.items():
        expected |= dict.fromkeys(names, privileges)
    found = {row["relname"]: row["privileges"] for row in await owner.fetch(_PRIVILEGES, "ledgerbee_worker")}
    assert found == expected, "what the worker's role may do beyond that goes into `WORKERS_TABLES`"


@pytest.mark.parametrize(
    ("role", "functions"), [("ledgerbee_app", {*FUNCTIONS}), ("ledgerbee_worker", {*FUNCTIONS} | WORKERS_FUNCTIONS)]
)
async def test_each_function_is_somebodys_to_call(owner: Connection, role: str, functions: set[str]) -> None:
    rows = await owner.fetch(
        "SELECT p.proname, has_function_privilege($1, p.oid, 'EXECUTE') AS may,"
        " has_function_privilege('public', p.oid, 'EXECUTE') AS anybody"
        " FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace",
        role,
    )
    assert {row["proname"] for row in rows if row["may"]} == functions
    assert [row["proname"] for row in rows if row["anybody"]] == []


async def test_functions_with_rights_of_their_own_have_a_reason(owner: Connection) -> None:
    """Those that run as the owner check that the company is the one that was entered, or take something secret."""
    rows = await owner.fetch("SELECT proname, prosecdef FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
    runs_as_owner = {row["proname"] for row in rows if row["prosecdef"]}
    assert {name for name, why in FUNCTIONS.items() if why is BARE} == FUNCTIONS.keys() - runs_as_owner
    assert {name for name, why in FUNCTIONS.items() if why is ENTERED} == CALLS.keys()


async def test_functions_with_rights_of_their_own_take_the_company(owner: Connection) -> None:
    rows = await owner.fetch(
        "SELECT p.proname, p.proargnames[1] = 'company' AND p.proargtypes[0] = 'uuid'::regtype AS takes_company"
        " FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef"
        " AND p.prorettype <> 'trigger'::regtype"
    )
    assert {row["proname"] for row in rows} == CALLS.keys() | OF_NO_COMPANY.keys()
    assert [row["proname"] for row in rows if row["proname"] in CALLS and not row["takes_company"]] == []


async def test_functions_of_the_owner_refuse_another_company(
    owner: Connection, stolen: Connection, other_api: Api
) -> None:
    """The company is checked before anything else: all the rest that they are called with is nothing."""
    rows = await owner.fetch(
        "SELECT p.proname, 'SELECT ' || p.oid::regproc || '($1' || (SELECT coalesce(string_agg(', NULL::'"
        " || format_type(t.oid, NULL), '' ORDER BY t.place), '') FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY"
        " AS t (oid, place) WHERE t.place > 1) || ')' AS call"
        " FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef"
        " AND p.prorettype <> 'trigger'::regtype AND p.proname <> ALL ($1)",
        [*OF_NO_COMPANY],
    )
    calls = {found["proname"]: found["call"] for found in rows}
    assert calls.keys() == CALLS.keys()
    for call in calls.values():
        for company in (other_api.company_id, None):
            assert await refused(stolen, call, company) == "LB403", call


@pytest.mark.parametrize("name", sorted(CALLS))
async def test_a_company_that_was_only_named_is_not_worked_on(stolen: Connection, other_api: Api, name: str) -> None:
    await stolen.execute("SET LOCAL app.company_proof = ''")
    await stolen.execute("SELECT set_config('app.company_id', $1, true)", str(other_api.company_id))
    arguments = CALLS[name]
    if arguments is None:
        other = await books_of(other_api)
        with pytest.raises(asyncpg.PostgresError) as fault:
            await call_at(datetime.now(UTC), stolen, other.sale("2026-01-20", "1.00"))
        assert fault.value.sqlstate == "LB403"
    else:
        call = f"SELECT {name}({', '.join(['$1', arguments] if arguments else ['$1'])})"
        assert await refused(stolen, call, other_api.company_id) == "LB403"
    assert await stolen.fetchval("SELECT current_company()") is None


async def test_triggers_are_told_their_table(owner: Connection) -> None:
    """By their first argument. The function that tells the queue's listeners is the library's own."""
    by_name = "SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosrc ~* $1"
    assert [row["proname"] for row in await owner.fetch(by_name, r"\mTG_(TABLE_NAME|RELNAME|RELID)\M")] == [
        SETTINGS.function
    ]
    told = await owner.fetch(
        "SELECT t.tgrelid::regclass::text AS name, convert_from(split_part(encode(t.tgargs, 'escape'), E'\\\\000', 1)"
        "::bytea, 'UTF8') AS argument FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
        " WHERE p.pronamespace = 'public'::regnamespace AND NOT t.tgisinternal AND p.prosrc ~ 'TG_ARGV'"
    )
    assert len(told) > 0
    assert [row["argument"] for row in told] == [row["name"] for row in told]


@pytest.mark.parametrize("call", TAKEN_AWAY)
@pytest.mark.parametrize("role", ["ledgerbee_app", "ledgerbee_worker"])
async def test_what_postgresql_lets_anybody_do(owner: Connection, role: str, call: str) -> None:
    await owner.execute(f"SET ROLE {role}")
    assert await refused(owner, f"SELECT {call}") == NOT_ALLOWED


async def test_functions_of_the_owner_look_names_up_where_nobody_else_writes(owner: Connection) -> None:
    """But for those that are asked all the time: they write all names with their schema."""
    rows = await owner.fetch(
        "SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef"
        " AND NOT 'search_path=pg_catalog, public, pg_temp' = ANY (coalesce(p.proconfig, '{}'))"
    )
    assert sorted(row["proname"] for row in rows) == ["current_company", "visible_company"]


async def test_sequences_give_ids_of_jobs_and_no_more(owner: Connection) -> None:
    rows = await owner.fetch(
        "SELECT c.relname FROM pg_class c, unnest(ARRAY['USAGE', 'SELECT', 'UPDATE']) AS p WHERE c.relkind = 'S'"
        " AND c.relnamespace = 'public'::regnamespace AND has_sequence_privilege('ledgerbee_app', c.oid, p)"
    )
    assert sorted(row["relname"] for row in rows) == sorted(SEQUENCES)


async def test_the_roles_are_nobody_special(owner: Connection) -> None:
    powers = "rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication"
    assert not await owner.fetchval(
        f"SELECT bool_or({powers}) FROM pg_roles WHERE rolname IN ('ledgerbee_app', 'ledgerbee_worker')"
    )
    assert not await owner.fetchval("SELECT pg_has_role('ledgerbee_app', 'ledgerbee_worker', 'MEMBER')")


class TestEntering:
    """A company is entered by a credential of it, and by nothing that the role can write."""

    async def sees(self, connection: Connection) -> set[UUID]:
        return {row["company_id"] for row in await connection.fetch("SELECT company_id FROM companies")}

    async def test_by_its_credential(self, owner: Connection, api: Api) -> None:
        hashed = secret_hash(api.key)
        version = await owner.fetchval("SELECT version FROM credentials WHERE secret_hash = $1", hashed)
        await owner.execute("SET ROLE ledgerbee_app")
        enter_by = "SELECT FROM enter_company($1, $2, '{}', now(), false)"
        async with owner.transaction():
            assert len(await owner.fetch(enter_by, [hashed], [version])) == 0
            assert await self.sees(owner) == {api.company_id}
        assert await self.sees(owner) == set()
        for wrong in (([hashed], [version + 1]), ([bytes(32)], [1]), ([hashed, bytes(32)], [version, 1])):
            async with owner.transaction():
                assert len(await owner.fetch(enter_by, *wrong)) == 1
                assert await self.sees(owner) == set()

    async def test_not_by_two_of_different_companies(self, owner: Connection, api: Api, other_api: Api) -> None:
        hashes = [secret_hash(one.key) for one in (api, other_api)]
        async with owner.transaction():
            await owner.execute("SET LOCAL ROLE ledgerbee_app")
            assert len(await owner.fetch("SELECT FROM enter_company($1, '{1,1}', '{}', now(), false)", hashes)) == 1
            assert await self.sees(owner) == set()

    async def test_not_by_one_that_has_expired(self, owner: Connection, api: Api) -> None:
        transaction = owner.transaction()
        await transaction.start()
        try:
            await owner.execute("UPDATE application_trust SET clock_tolerance = '1 hour'")
            hashed = secret_hash(api.key)
            expire = "UPDATE credentials SET expires_at = now() - $2::interval WHERE secret_hash = $1"
            for ago, answer in ((timedelta(minutes=59), 0), (timedelta(minutes=61), 1)):
                await owner.execute("RESET ROLE")
                await owner.execute(expire, hashed, ago)
                await owner.execute("SET LOCAL ROLE ledgerbee_app")
                enter_by = "SELECT FROM enter_company($1, '{1}', '{}', now(), false)"
                assert len(await owner.fetch(enter_by, [hashed])) == answer
        finally:
            await transaction.rollback()

    async def test_not_by_writing_its_name(self, stolen: Connection, books: Books, other_api: Api) -> None:
        await stolen.execute(f"SET LOCAL app.company_id = '{other_api.company_id}'")
        assert await self.sees(stolen) == set()
        assert await stolen.fetchval("SELECT current_company()") is None
        for statement in ("hold_ledger($1)", "set_lock_date($1, NULL, true)", "take_numbers($1, 'invoice', 1)"):
            assert await refused(stolen, f"SELECT {statement}", other_api.company_id) == "LB403"
        await stolen.execute("SELECT set_config('app.company_id', $1, true)", str(books.api.company_id))
        assert await self.sees(stolen) == {books.api.company_id}

    async def test_a_proof_is_of_its_transaction(self, owner: Connection, api: Api) -> None:
        async with owner.transaction():
            await enter(owner, api.company_id)
            proof = await owner.fetchval("SELECT current_setting('app.company_proof')")
        await owner.execute("RESET ROLE")
        await owner.execute("SET ROLE ledgerbee_app")
        async with owner.transaction():
            await owner.execute(
                "SELECT set_config('app.company_id', $1, true), set_config('app.company_proof', $2, true)",
                str(api.company_id),
                proof,
            )
            assert await self.sees(owner) == set()

    async def test_nor_by_any_other_way(self, stolen: Connection, other_api: Api) -> None:
        other = other_api.company_id
        job = "SELECT FROM enter_company_for_job($1, '{}', now(), false)"
        assert await refused(stolen, job, other) == NOT_ALLOWED
        assert await refused(stolen, "SELECT company_proof($1)", other) == NOT_ALLOWED
        assert await refused(stolen, "SELECT last_value FROM proof_key_1") == NOT_ALLOWED
        assert await refused(stolen, "SELECT setval('proof_key_1', 1)") == NOT_ALLOWED
        assert await refused(stolen, "SELECT enter_new_company($1)", other) == "LB403"
        assert await stolen.fetchval("SELECT pg_sequence_last_value('proof_key_1')") is None

    async def test_ids_of_companies_are_told_nowhere(self, stolen: Connection) -> None:
        for statement in (
            "SELECT payload FROM pgqueuer", "SELECT * FROM pgqueuer_log", "SELECT * FROM company_directory",
            "SELECT * FROM stale_blob_leases('infinity')", "SELECT * FROM silent_uploads('infinity')",
            "SELECT * FROM silent_usage_uploads('infinity')",
            "SELECT query FROM pg_stat_activity",
        ):  # fmt: skip
            assert await refused(stolen, statement) == NOT_ALLOWED, statement


class TestOtherCompanies:
    """What a function does to a company that was not entered takes a secret of it."""

    async def test_an_upload_ends_by_its_secret(self, stolen: Connection, other_api: Api) -> None:
        upload, secret = new_id(), b"s" * 32
        await enter(stolen, other_api.company_id)
        await stolen.execute(
            "INSERT INTO journal_imports (company_id, id, format, status, bytes_total, opens_from, opens_through,"
            " created_at, upload_secret_hash)"
            " VALUES ($1, $2, 'csv', 'receiving', 0, '2026-01-01', '2026-12-31', now(), sha256($3::bytea))",
            other_api.company_id,
            upload,
            secret,
        )
        status = "SELECT status FROM journal_imports WHERE id = $1"
        for shown, expected in ((b"", "receiving"), (None, "receiving"), (b"t" * 32, "receiving"), (secret, None)):
            await stolen.execute("SET LOCAL app.company_proof = ''")
            await stolen.execute("SELECT give_up_upload($1, $2, $3)", other_api.company_id, upload, shown)
            await enter(stolen, other_api.company_id)
            assert await stolen.fetchval(status, upload) == expected, shown

    @pytest.mark.parametrize("status", ["queued", "running", "completed", "failed", "cancelled", "receiving"])
    async def test_an_import_is_removed_by_nobody(self, stolen: Connection, books: Books, status: str) -> None:
        """What became an import stays, also for who makes it look like an upload."""
        sent = (await send(books.api, lines(row("1.00")))).json()
        import_id, secret = UUID(sent["id"]), b"s" * 32
        await stolen.execute(
            "UPDATE journal_imports SET status = $2, upload_secret_hash = sha256($3::bytea) WHERE id = $1",
            import_id,
            status,
            secret,
        )
        await stolen.execute("SELECT give_up_upload($1, $2, $3)", books.api.company_id, import_id, secret)
        assert await stolen.fetchval("SELECT count(*) FROM journal_imports WHERE id = $1", import_id) == 1


class TestWriting:
    """What the API's role writes in a company that it has entered has to fit."""

    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT purge_expired('infinity')", "SELECT silent_uploads('infinity')",
            "DELETE FROM idempotency_keys",
            "UPDATE number_series SET last_number = last_number + 100", "DELETE FROM number_series",
            "CREATE TRIGGER t AFTER INSERT ON companies FOR EACH ROW EXECUTE FUNCTION enter_company_in_directory()",
            "UPDATE application_trust SET clock_tolerance = '1 year'", "DELETE FROM events",
            "UPDATE events SET type = ''",
            "UPDATE pgqueuer SET status = 'queued'", "DELETE FROM pgqueuer", "SELECT FROM rate_limit_hits",
            "DELETE FROM rate_limit_hits", "UPDATE delivery_attempts SET outcome = 'delivered'",
            "INSERT INTO pgqueuer (entrypoint, heartbeat) VALUES ('x', now())",
            "INSERT INTO pgqueuer (entrypoint, created) VALUES ('x', now())",
        ],
    )  # fmt: skip
    async def test_it_may_not(self, stolen: Connection, statement: str) -> None:
        assert await refused(stolen, statement) == NOT_ALLOWED

    async def test_a_phantom_company(self, stolen: Connection, database_url: str) -> None:
        await allow_temporary_tables(database_url)
        await stolen.execute("CREATE TEMP TABLE phantom (company_id uuid, created_at timestamptz) ON COMMIT DROP")
        trigger = "CREATE TRIGGER t AFTER INSERT ON phantom FOR EACH ROW EXECUTE FUNCTION enter_company_in_directory()"
        assert await refused(stolen, trigger) == NOT_ALLOWED

    @pytest.mark.parametrize("hours", [-2, 2, -200_000, 200_000])
    async def test_an_entry_at_another_moment(self, stolen: Connection, books: Books, hours: int) -> None:
        sale = books.sale("2026-01-20", "1.00")
        with pytest.raises(asyncpg.PostgresError) as fault:
            async with stolen.transaction():
                await call_at(datetime.now(UTC) + timedelta(hours=hours), stolen, sale)
        assert fault.value.sqlstate == "LB424"
        assert await call_at(datetime.now(UTC), stolen, sale) is not None

    @pytest.mark.parametrize(
        "code", ["", "?", "???", "eur", "EURO?", "1EUR", "EUR ", "EUR\n", "Æ", "X-", "-X", "/", "/-X", "//X", "A" * 25]
    )
    async def test_an_entry_in_no_currency(self, stolen: Connection, books: Books, code: str) -> None:
        assert not is_commodity(code)
        with pytest.raises(asyncpg.CheckViolationError):
            await call_at(datetime.now(UTC), stolen, self._sale(books, code))

    @pytest.mark.parametrize("code", ["EUR", "X", "VACHR", "V1", "A'B.C_D-9", "/NQH21_QNEG21C13100", "/9", "A" * 24])
    async def test_an_entry_in_shares_or_hours_of_an_import(self, stolen: Connection, books: Books, code: str) -> None:
        assert is_commodity(code) != (code == "EUR")
        assert await call_at(datetime.now(UTC), stolen, self._sale(books, code)) is not None

    def _sale(self, books: Books, code: str) -> EntryToPost:
        lines = books.sale("2026-01-20", "1.00").lines
        return books.entry("2026-01-20", lines, currency=code, exchange_rate=Decimal(2))

    async def test_a_number_that_nobody_uses(self, stolen: Connection, books: Books) -> None:
        assert await refused(stolen, "SELECT take_numbers($1, 'invoice', 1)", books.api.company_id) == "LB425"
        assert await refused(stolen, "SELECT take_numbers($1, 'another', 1)", books.api.company_id) == "LB425"

    async def test_a_job_of_another_company_or_out_of_turn(
        self, stolen: Connection, books: Books, other_api: Api
    ) -> None:
        ask = (
            "INSERT INTO pgqueuer (priority, entrypoint, payload, status, execute_after)"
            " VALUES ($2, 'deliver_document', convert_to(json_build_object('companyId', $1::text)::text, 'UTF8'),"
            " '{}', now() + $3::interval)"
        )
        company, now = str(books.api.company_id), timedelta(0)
        turn = int((datetime.now(UTC) - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds())
        assert await refused(stolen, ask.format("queued"), str(other_api.company_id), -turn, now) == "LB429"
        for status, priority, due in (
            ("picked", -turn, now), ("failed", -turn, now), ("queued", 0, now), ("queued", 2**31 - 1, now),
            ("queued", -turn + 3700, now), ("queued", -turn, timedelta(seconds=-1)),
        ):  # fmt: skip
            assert await refused(stolen, ask.format(status), company, priority, due) == "LB429", (status, priority)
        await stolen.execute(ask.format("queued"), company, -turn, now)
        assert await refused(stolen, ask.format("queued"), company, -turn, now) == "LB429"
        await stolen.execute(ask.format("queued"), company, -turn - 60, timedelta(days=1))

    async def test_a_number_of_a_job_to_come(self, stolen: Connection, books: Books) -> None:
        """Whoever asks next would be given it, in vain."""
        ask = (
            "INSERT INTO pgqueuer (id, priority, entrypoint, payload, status, execute_after) SELECT $3, $2, 'x',"
            " convert_to(json_build_object('companyId', $1::text)::text, 'UTF8'), 'queued', now()"
        )
        turn = int((datetime.now(UTC) - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds())
        last = await stolen.fetchval("SELECT nextval('pgqueuer_id_seq')")
        assert await refused(stolen, ask, str(books.api.company_id), -turn, last + 1) == "LB429"
        await stolen.execute(ask, str(books.api.company_id), -turn, last)

    async def test_what_became_of_a_job(self, stolen: Connection, books: Books, other_api: Api) -> None:
        """The log says how often a job was begun: another's would be given up by it."""
        add = (
            "INSERT INTO pgqueuer (priority, entrypoint, payload, status, execute_after) SELECT $2, 'x',"
            " convert_to(json_build_object('companyId', $1::text)::text, 'UTF8'), 'queued', now() RETURNING id"
        )
        turn = int((datetime.now(UTC) - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds())
        own = await stolen.fetchval(add, str(books.api.company_id), -turn)
        await stolen.execute("SET LOCAL ROLE NONE")
        others = await stolen.fetchval(add, str(other_api.company_id), -turn)
        await enter(stolen, books.api.company_id)
        note = "INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority) VALUES ($1, '{}', 'x', 0)"
        for job, status in ((own, "picked"), (own, "exception"), (others, "queued"), (others, "picked"), (0, "queued")):
            assert await refused(stolen, note.format(status), job) == "LB429", (job, status)
        await stolen.execute(note.format("queued"), own)
        assert await refused(stolen, note.format("queued"), own) == "LB429"

    @pytest.mark.parametrize("hours", [-2, 2])
    async def test_an_event_at_another_moment(self, stolen: Connection, books: Books, hours: int) -> None:
        tell = (
            "INSERT INTO events (company_id, id, type, object_id, sequence, data, actor, request_id, occurred_at)"
            " VALUES ($1, $2, 'x.y', $2, 1, '{}', 'x', 'x', now() + $3::interval)"
        )
        assert await refused(stolen, tell, books.api.company_id, new_id(), timedelta(hours=hours)) == "LB424"
        await stolen.execute(tell, books.api.company_id, new_id(), timedelta(minutes=20 * hours))

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
    async def test_what_is_no_number(self, stolen: Connection, books: Books, number: str) -> None:
        """In any column: NaN passes for greater than zero."""
        sale = books.sale("2026-01-20", "1.00")
        for field in ("original_amount", "exchange_rate"):
            changed = structs.replace(sale, **{field: Decimal(number)})
            with pytest.raises(asyncpg.PostgresError) as fault:
                async with stolen.transaction():
                    await call_at(datetime.now(UTC), stolen, changed)
            assert fault.value.sqlstate in {"23514", "LB412", "LB413", "22003"}, field

    async def test_every_number_has_to_be_one(self, owner: Connection) -> None:
        rows = await owner.fetch(
            "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0"
            " AND NOT a.attisdropped AND a.atttypid = 'numeric'::regtype AND a.attgenerated = '' AND NOT EXISTS ("
            "     SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c'"
            "     AND a.attnum = ANY (k.conkey) AND k.conname = c.relname || '_finite')"
        )
        assert [tuple(row) for row in rows] == []

    async def test_an_entry_of_an_unknown_source(self, stolen: Connection, books: Books) -> None:
        sale = books.sale("2026-01-20", "1.00", source_type="gift", source_id=new_id())
        with pytest.raises(asyncpg.CheckViolationError):
            await call_at(datetime.now(UTC), stolen, sale)

    @pytest.mark.parametrize(
        "change", ["licenses = '{}'", "base_currency = 'NOK'", "licenses = licenses || 'Anything'::text"]
    )
    async def test_what_is_the_operators_to_say_of_a_company(self, stolen: Connection, change: str) -> None:
        assert await refused(stolen, f"UPDATE companies SET {change}") == "LB433"
        assert await refused(stolen, "UPDATE companies SET name = 'Other'") == "nothing refuses it"

    @pytest.mark.parametrize("moment", ["NULL", "now()", "'infinity'"])
    async def test_what_was_revoked(self, stolen: Connection, moment: str) -> None:
        await stolen.execute("UPDATE api_keys SET revoked_at = now() - interval '1 day'")
        assert await refused(stolen, f"UPDATE api_keys SET revoked_at = {moment}") == "LB434"
        await stolen.execute(
            "INSERT INTO oauth_clients (company_id, id, name, scopes, created_at, revoked_at)"
            " SELECT company_id, id, 'x', '{}', now(), '2026-01-01' FROM companies, gen_random_uuid() AS id"
        )
        assert await refused(stolen, f"UPDATE oauth_clients SET revoked_at = {moment}") == "LB434"

    async def test_what_became_of_a_delivery(self, stolen: Connection, books: Books) -> None:
        add = (
            "INSERT INTO deliveries (company_id, id, document_type, document_id, delivery_type, recipient, status,"
            " created_at, updated_at) VALUES ($1, $2, 'invoice', $2, 'Email', 'a@b.dk', '{}', now(), now())"
        )
        for status in ("sending", "delivered", "failed"):
            assert await refused(stolen, add.format(status), books.api.company_id, new_id()) == "LB435"
        await stolen.execute(add.format("pending"), books.api.company_id, new_id())
        name = (
            "INSERT INTO delivery_recipients SELECT company_id, gen_random_uuid(), id, 1, 'a@b.dk', '{}', {}, now()"
            " FROM deliveries"
        )
        for status, reason in (("sending", "NULL"), ("delivered", "NULL"), ("bounced", "NULL"), ("pending", "'No'")):
            assert await refused(stolen, name.format(status, reason)) == "LB435"
        await stolen.execute(name.format("pending", "NULL"))
        assert await refused(stolen, "UPDATE delivery_recipients SET address = 'c@d.dk'") == NOT_ALLOWED
        assert await refused(stolen, "INSERT INTO sent_messages SELECT FROM deliveries") == NOT_ALLOWED
        for change in ("recipient = 'c@d.dk'", "status = 'delivered'", "document_id = id", "created_at = now()"):
            assert await refused(stolen, f"UPDATE deliveries SET {change}") == NOT_ALLOWED

    async def test_what_became_of_an_answer_and_a_second_verdict(self, stolen: Connection, books: Books) -> None:
        await stolen.execute(
            "INSERT INTO incoming_documents (company_id, id, hash, content, file_name, document_format, document_type,"
            " document_number, issue_date, currency, sender_id, sender_name, details, created_at, updated_at) VALUES"
            " ($1, $2, sha256('x'), 'x', 'x.xml', 'peppol', 'invoice', '1', now(), 'DKK', 'x', 'x', '{}', now(),"
            " now())",
            books.api.company_id,
            new_id(),
        )
        add = (
            "INSERT INTO incoming_answers SELECT company_id, gen_random_uuid(), id, {}, '{}', 'x', NULL, NULL,"
            " 'peppol', 'x', 'x', 'DK', '1', sha256('x'), 'x', '{}', now(), now() FROM incoming_documents"
        )
        for status in ("sending", "sent", "failed"):
            assert await refused(stolen, add.format(1, "accepted", status)) == "LB435"
        await stolen.execute(add.format(1, "accepted", "pending"))
        taken = asyncpg.UniqueViolationError.sqlstate
        for place, answer in ((1, "paid"), (2, "accepted"), (2, "rejected")):
            assert await refused(stolen, add.format(place, answer, "pending")) == taken
        await stolen.execute(add.format(2, "paid", "pending"))
        for status in ("pending", "sending", "sent", "failed"):
            assert await refused(stolen, f"UPDATE incoming_answers SET status = '{status}'") == "LB435"
        for change in ("answer = 'rejected'", "content = 'y'", "receiver = 'y'", "id = gen_random_uuid()"):
            assert await refused(stolen, f"UPDATE incoming_answers SET {change}") == NOT_ALLOWED
        await stolen.execute(
            "INSERT INTO incoming_messages SELECT company_id, id, 'm-1', hash, id, NULL, NULL, NULL, 'ALWAYS_SEND',"
            " '[]', NULL, now() FROM incoming_documents"
        )
        again = (
            "INSERT INTO incoming_messages SELECT company_id, gen_random_uuid(), 'm-1', hash, id, NULL, NULL, NULL,"
            " 'ALWAYS_SEND', '[]', NULL, now() FROM incoming_documents"
        )
        assert await refused(stolen, again) == taken
        status = (
            "INSERT INTO incoming_answers SELECT company_id, gen_random_uuid(), document_id, {}, {}, 'AP', NULL, NULL,"
            " 'peppol', 'x', 'x', 'DK', '1', sha256('x'), 'x', 'pending', now(), now(), id FROM incoming_messages"
        )
        wrong = asyncpg.CheckViolationError.sqlstate
        assert await refused(stolen, status.format("1", "'accepted'")) == wrong, "a status is no answer"
        await stolen.execute(status.format("NULL", "NULL"))
        assert await refused(stolen, status.format("NULL", "NULL")) == taken
        for statement in ("UPDATE incoming_messages SET message_id = 'y'", "DELETE FROM incoming_messages"):
            assert await refused(stolen, statement) == NOT_ALLOWED
        for statement in ("DELETE FROM incoming_answers", "INSERT INTO incoming_answer_attempts SELECT FROM companies"):
            assert await refused(stolen, statement) == NOT_ALLOWED

    async def test_a_file_that_comes_late(self, stolen: Connection, books: Books) -> None:
        lease = "INSERT INTO blob_leases VALUES ($1, sha256('x'), $2, now())"
        await stolen.execute(lease, books.api.company_id, new_id())
        attach = (
            "INSERT INTO journal_attachments (company_id, id, entry_id, position, file_name, content_type, size, hash,"
            " created_at) SELECT e.company_id, $1, e.id, 1, 'x.pdf', 'application/pdf', 1, sha256('x'), now()"
            " FROM journal_entries e"
        )
        assert await refused(stolen, attach, new_id()) == "LB432"

    async def test_an_answer_before_its_day_is_over(self, stolen: Connection, books: Books) -> None:
        await stolen.execute(
            "INSERT INTO idempotency_keys (company_id, key, request_hash, status, body, created_at)"
            " VALUES ($1, 'k', '', 201, '', now() - interval '23 hours')",
            books.api.company_id,
        )
        for change in ("created_at = now()", "body = 'x'", "key = 'l'", "created_at = 'infinity'"):
            assert await refused(stolen, f"UPDATE idempotency_keys SET {change} WHERE key = 'k'") == "LB428"

    async def test_a_credit_that_nobody_was_given(self, owner: Connection, api: Api) -> None:
        shop = Shop(api)
        sold = await shop.sold(line(await shop.price("100"), 2))
        part = {"invoiceLineId": sold["lines"][0]["id"], "quantity": 1}
        draft, sent = await shop.credit(sold, part), await shop.send_note(await shop.credit(sold, part))
        other = await shop.sold(line(await shop.price("100")))
        async with owner.transaction():
            await enter(owner, api.company_id)
            for change in (
                "credited_amount = 0", "credited_amount = amount, status = 'credited'", "status = 'credited'",
                "status = 'paid'",
            ):  # fmt: skip
                statement = f"UPDATE invoices SET {change} WHERE id = '{sold['id']}'"
                assert await refused(owner, statement) == "LB426", change
            for note in (draft, sent):
                for change in (
                    "amount = amount - 1, subtotal = subtotal - 1", "number = '9', number_sequence = 9",
                    f"invoice_id = '{other['id']}'", "issue_date = issue_date + 1", "notes = 'x'",
                ):  # fmt: skip
                    statement = f"UPDATE credit_notes SET {change} WHERE id = '{note['id']}'"
                    assert await refused(owner, statement) == "LB430", change
            of_sent = f"SELECT %s FROM credit_notes WHERE id = '{sent['id']}'"
            booked = "(status, receivable_account_id, exchange_rate, base_amount, journal_entry_id)"
            as_sent = of_sent % "'sent', receivable_account_id, exchange_rate, base_amount, journal_entry_id"
            forged = f"UPDATE credit_notes SET {booked} = ({as_sent}) WHERE id = '{draft['id']}'"
            assert await refused(owner, forged) == "LB439", "another note's entry"
            cancelled = f"UPDATE credit_notes SET status = 'cancelled' WHERE id = '{sent['id']}'"
            assert await refused(owner, cancelled) in {"LB430", "23514"}
            for table, key in (("credit_notes", "id"), ("credit_note_lines", "credit_note_id")):
                gone = f"DELETE FROM {table} WHERE {key} = '{draft['id']}'"
                assert await refused(owner, gone) != "nothing refuses it", table
            columns = await owner.fetchval(
                "SELECT string_agg(column_name, ', ') FROM information_schema.columns"
                " WHERE table_name = 'credit_notes' AND is_generated = 'NEVER'"
            )
            again = (
                f"INSERT INTO credit_notes ({columns}) SELECT {columns} FROM (SELECT (jsonb_populate_record(n,"
                " jsonb_build_object('id', $1::uuid, 'number', '9', 'number_sequence', 9))).*"
                f" FROM credit_notes n WHERE id = '{draft['id']}') f"
            )
            assert await refused(owner, again, new_id()) == "LB439"

    async def test_more_credit_than_there_is(self, owner: Connection, api: Api) -> None:
        """A number that was taken, lines that add up: still no more than the invoice."""
        shop = Shop(api)
        sold = await shop.sold(line(await shop.price("100")))
        note = await shop.credit(sold)
        async with owner.transaction():
            await enter(owner, api.company_id)
            names = {
                table: await owner.fetchval(
                    "SELECT string_agg(column_name, ', ') FROM information_schema.columns"
                    " WHERE table_name = $1 AND is_generated = 'NEVER'",
                    table,
                )
                for table in ("credit_notes", "credit_note_lines")
            }
            again = (
                "WITH taken AS (SELECT last_number FROM take_numbers($1, 'credit_note', 1)), made AS ("
                f"INSERT INTO credit_notes ({names['credit_notes']}) SELECT {names['credit_notes']} FROM ("
                "SELECT (jsonb_populate_record(n, jsonb_build_object('id', $2::uuid, 'number', t.last_number::text,"
                f" 'number_sequence', t.last_number))).* FROM credit_notes n, taken t WHERE n.id = '{note['id']}') f)"
                f" INSERT INTO credit_note_lines ({names['credit_note_lines']})"
                f" SELECT {names['credit_note_lines']} FROM (SELECT (jsonb_populate_record(l,"
                " jsonb_build_object('credit_note_id', $2::uuid))).*"
                f" FROM credit_note_lines l WHERE l.credit_note_id = '{note['id']}') f"
            )
            assert await refused(owner, again, api.company_id, new_id()) == "LB439"

    async def test_a_cancelled_invoice_stays_as_it_was(self, owner: Connection, api: Api) -> None:
        shop = Shop(api)
        price = await shop.price("100")
        given_up = await shop.draft(await shop.customer(), line(price))
        await shop.ok("POST", f"/v1/invoices/{given_up['id']}/cancel", {}, status=200)
        sold = await shop.sold(line(price))
        async with owner.transaction():
            await enter(owner, api.company_id)
            own = f"WHERE id = '{given_up['id']}'"
            for change in ("status = 'draft'", "reference = 'x'", "sent_at = now()", "updated_at = now()"):
                assert await refused(owner, f"UPDATE invoices SET {change} {own}") in {"LB430", "23514"}, change
            as_sold = (
                "(status, number, number_sequence, receivable_account_id, exchange_rate, base_amount, journal_entry_id)"
                " = (SELECT status, '9', 9, receivable_account_id, exchange_rate, base_amount, journal_entry_id"
                f" FROM invoices WHERE id = '{sold['id']}')"
            )
            assert await refused(owner, f"UPDATE invoices SET {as_sold} {own}") == "LB430"
            assert await refused(owner, f"DELETE FROM invoice_lines WHERE invoice_id = '{given_up['id']}'") == "LB430"
            assert await refused(owner, f"DELETE FROM invoices {own}") in {"LB430", "23503"}

    async def test_credit_that_is_not_there(self, owner: Connection, api: Api) -> None:
        """A use that adds up, of a source that is used up; a source of another customer; a part that comes later."""
        shop = Shop(api)
        customer = await shop.customer()
        await give(shop, customer, "100")
        over, _ = await overpaid(shop, customer)
        sold, theirs = await sell(shop, customer, "400"), await sell(shop, await shop.customer(), "400")
        uses = [await refund(shop, customer, "25"), await apply(shop, sold, "100"), await apply(shop, sold, "100")]
        assert [one["sources"][0]["id"] == over["id"] for one in uses] == [False, False, True]
        copied = (
            "WITH made AS (INSERT INTO credit_uses SELECT (jsonb_populate_record(u, jsonb_build_object("
            "'id', $1::uuid, 'invoice_id', {invoice}))).* FROM credit_uses u WHERE u.id = $2), parts AS ("
            "INSERT INTO credit_use_parts SELECT (jsonb_populate_record(p, jsonb_build_object('use_id', $1::uuid))).*"
            " FROM credit_use_parts p WHERE p.use_id = $2) {more}"
        )
        applied = "UPDATE invoices SET applied_credit = applied_credit + 100 WHERE id = '{}'"
        changes = [f"{what} WHERE company_id = '{api.company_id}'" for table in ("credit_uses", "credit_use_parts")
                   for what in (f"UPDATE {table} SET amount = 1", f"DELETE FROM {table}")]  # fmt: skip
        assert [await refused(owner, change) for change in changes] == ["LB430"] * 4
        async with owner.transaction():
            await enter(owner, api.company_id)
            assert [await refused(owner, change) for change in changes] == [NOT_ALLOWED] * 4
            alone = copied.format(invoice="u.invoice_id", more="SELECT").replace(
                "p.use_id = $2", "false AND p.use_id = $2"
            )
            assert await refused(owner, alone, new_id(), uses[1]["id"]) == "LB449", "without parts"
            for one, invoice, more, code in (
                (uses[0], "u.invoice_id", "SELECT", "LB449"),
                (uses[1], "u.invoice_id", applied.format(sold["id"]), "LB449"),
                (uses[2], "u.invoice_id", "SELECT", "LB426"),
                (uses[2], "u.invoice_id", applied.format(sold["id"]), "LB426"),
                (uses[2], f"'{theirs['id']}'", "SELECT", "LB449"),
            ):
                statement = copied.format(invoice=invoice, more=more)
                assert await refused(owner, statement, new_id(), one["id"]) == code, (invoice, more)
            later = (
                "INSERT INTO credit_use_parts SELECT (jsonb_populate_record(p, '{\"position\": 9}')).*"
                " FROM credit_use_parts p WHERE p.use_id = $1"
            )
            assert await refused(owner, later, uses[0]["id"]) == "LB449"

    async def test_a_loss_that_nobody_has(self, owner: Connection, api: Api) -> None:
        shop = Shop(api)
        sold = await shop.sold(line(await shop.price("100")))
        lost = await shop.sold(line(await shop.price("100")))
        await shop.ok("POST", f"/v1/invoices/{lost['id']}/write-off", {})
        async with owner.transaction():
            await enter(owner, api.company_id)
            given_up = "written_off_amount = amount, status = 'uncollectible'"
            assert await refused(owner, f"UPDATE invoices SET {given_up} WHERE id = '{sold['id']}'") == "LB426"
            for change in ("written_off_amount = 0, status = 'sent'", "status = 'paid'", "written_off_amount = 1"):
                assert await refused(owner, f"UPDATE invoices SET {change} WHERE id = '{lost['id']}'") == "LB426"
            again = (
                "INSERT INTO write_offs SELECT (jsonb_populate_record(w, jsonb_build_object('id', $1::uuid{}))).*"
                " FROM write_offs w"
            )
            for other in (f", 'invoice_id', '{sold['id']}'", f", 'journal_entry_id', '{sold['journalEntryId']}'"):
                assert await refused(owner, again.format(other), new_id()) in {"LB445", "23505"}, other
            for change in ("amount = 1", "vat_amount = 0", "description = 'x'", f"invoice_id = '{sold['id']}'"):
                assert await refused(owner, f"UPDATE write_offs SET {change}") in {"LB430", "42501"}, change
            taken_back = "UPDATE write_offs SET reversed_at = now(), reversal_entry_id = journal_entry_id"
            assert await refused(owner, taken_back) == "LB445"
            assert await refused(owner, "DELETE FROM write_offs") in {"LB430", "42501"}

    async def test_revenue_that_is_earned_twice(self, owner: Connection, api: Api) -> None:
        """What is left of a deferral is what wasn't recognised or credited of it, and nothing that was changes."""
        shop = Shop(api)
        period = {"servicePeriodStart": "2026-02-01", "servicePeriodEnd": "2026-04-30"}
        sold = await shop.sold(line(await shop.price("890"), **period), date="2026-02-10")
        await shop.ok("POST", "/v1/deferred-revenue/recognize", {"month": "2026-02"}, status=200)
        note = await shop.send_note(await shop.credit(sold, line(sold["lines"][0]["priceId"], 1, unitPrice="1")))
        async with owner.transaction():
            await enter(owner, api.company_id)
            copied = "INSERT INTO {0} SELECT (jsonb_populate_record(r, jsonb_build_object({1}))).* FROM {0} r"
            for table, other, state in (
                ("revenue_recognitions", "'amount', 1", "23505"),
                ("revenue_recognitions", "'month', '2026-03-01'", "LB455"),
                ("revenue_recognitions", "'month', '2026-03-01', 'amount', 0, 'base_amount', 1", "LB455"),
                ("revenue_deferral_credits", "'amount', 1", "23505"),
                ("revenue_deferrals", "'invoice_line_id', gen_random_uuid()", "LB455"),
            ):
                assert await refused(owner, copied.format(table, other)) == state, (table, other)
            for change in ("amount_left = amount_left - 1", "amount_left = amount_left + 1000", "amount = amount + 1",
                           "base_amount_left = 0, amount_left = 0, next_month = NULL"):  # fmt: skip
                statement = f"UPDATE revenue_deferrals SET {change}"
                assert await refused(owner, statement) in {"LB455", "LB430", "23514", "42501"}, change
            for table in ("revenue_deferrals", "revenue_recognitions", "revenue_deferral_credits"):
                assert await refused(owner, f"DELETE FROM {table}") in {"LB430", "42501", "23503"}, table
                assert await refused(owner, f"UPDATE {table} SET base_amount = 1") in {"LB430", "42501"}, table
        assert note["journalEntryId"]

    async def test_a_deduction_of_what_is_not_prepaid(self, owner: Connection, api: Api) -> None:
        """By each side alone, twice, by a part, of another customer; what deducts it is credited, or given up first."""
        shop = Shop(api)
        price, customer = await shop.price("100"), await shop.customer()
        ahead = await shop.send(await shop.draft(customer, line(price), isPrepayment=True))
        lost = await shop.send(await shop.draft(customer, line(price), isPrepayment=True))
        sold = await shop.send(await shop.draft(customer, line(price, 3), prepaymentInvoiceIds=[ahead["id"]]))
        draft = await shop.draft(customer, line(price, 3), prepaymentInvoiceIds=[lost["id"]])
        theirs = await shop.draft(await shop.customer(), line(price, 3))
        link = "UPDATE invoices SET deducted_by_invoice_id = {} WHERE id = '{}'"
        added = (
            "INSERT INTO invoice_lines SELECT (jsonb_populate_record(l, jsonb_build_object('id', $1::uuid,"
            " 'invoice_id', $2::uuid, 'position', 9{}))).* FROM invoice_lines l"
            " WHERE l.invoice_id = $3 AND l.prepayment_invoice_id IS NOT NULL"
        )
        moved = "WITH m AS ({}) " + link
        async with owner.transaction():
            await enter(owner, api.company_id)
            for whom, which in (
                ("NULL", ahead), ("NULL", lost), (f"'{theirs['id']}'", ahead), (f"'{theirs['id']}'", lost),
                (f"'{draft['id']}'", ahead),
            ):  # fmt: skip
                assert await refused(owner, link.format(whom, which["id"])) == "LB446", whom
            assert await refused(owner, link.format(f"'{draft['id']}'", draft["id"])) == "23514"
            assert (
                await refused(owner, f"UPDATE invoices SET is_prepayment = true WHERE id = '{draft['id']}'") == "LB446"
            )
            gone = f"UPDATE invoices SET status = 'cancelled' WHERE id = '{draft['id']}'"
            assert await refused(owner, gone) == "LB446"
            for more in ("", ", 'net', -50"):
                statement = added.format(more)
                assert await refused(owner, statement, new_id(), theirs["id"], sold["id"]) == "LB446", more
                assert await refused(owner, statement, new_id(), draft["id"], sold["id"]) == "LB446", more
            other = moved.format(added.format(""), f"'{theirs['id']}'", lost["id"])
            assert await refused(owner, other, new_id(), theirs["id"], draft["id"]) == "LB446", "another customer"

    async def test_an_invoice_that_nobody_paid(self, owner: Connection, api: Api) -> None:
        shop = Shop(api)
        sold = await shop.sold(line(await shop.price("100")))
        paid = await shop.sold(line(await shop.price("100")))
        await pay(shop, paid, "50")
        async with owner.transaction():
            await enter(owner, api.company_id)
            unpaid = f"WHERE id = '{sold['id']}'"
            for change in (
                "status = 'paid'", "amount_paid = amount", "status = 'paid', amount_paid = amount",
                "status = 'partially_paid'", "status = 'uncollectible'", "status = 'credited'",
                "applied_credit = amount, status = 'paid'", "applied_credit = 1, status = 'partially_paid'",
                "written_off_amount = amount, status = 'uncollectible'",
            ):  # fmt: skip
                assert await refused(owner, f"UPDATE invoices SET {change} {unpaid}") == "LB426"
            for change in ("status = 'cancelled'", "status = 'draft'"):
                assert await refused(owner, f"UPDATE invoices SET {change} {unpaid}") == "23514"
            again = (
                "INSERT INTO payments SELECT (jsonb_populate_record(p, jsonb_build_object('id', $1::uuid{}))).*"
                " FROM payments p"
            )
            for other in ("", f", 'invoice_id', '{sold['id']}'", f", 'journal_entry_id', '{sold['journalEntryId']}'"):
                assert await refused(owner, again.format(other), new_id()) == "LB427", other
            taken_back = "UPDATE payments SET reversed_at = now(), reversal_entry_id = journal_entry_id"
            assert await refused(owner, taken_back) == "LB427"
            columns = await owner.fetchval(
                "SELECT string_agg(column_name, ', ') FROM information_schema.columns"
                " WHERE table_name = 'invoices' AND is_generated = 'NEVER'"
            )
            forged = (
                f"INSERT INTO invoices ({columns}) SELECT {columns} FROM (SELECT (jsonb_populate_record(i,"
                " jsonb_build_object('id', $1::uuid, 'number', '9', 'number_sequence', 9))).*"
                " FROM invoices i LIMIT 1) f"
            )
            assert await refused(owner, forged, new_id()) == "LB426"
