"""What SQL with the API's login could write into each column, and who would notice.

A new column that the API's role may write fails the first test until it stands here: as one whose change `verify` finds
(the second test changes it), or with the reason why nobody has to.
"""

from datetime import date
from typing import Final

import asyncpg
import pytest
import pytest_asyncio
from tests.api.test_customer_credit import apply, give, overpaid, refund, sell
from tests.api.test_imports import imported, lines, row
from tests.api.test_oauth import make_client, token_of
from tests.api.test_payments import account, pay
from tests.api.test_refunds import D, Refunder
from tests.api.usage_steps import metering
from tests.attached import PDF, File, attach
from tests.card_provider import Behavior
from tests.conftest import Api
from tests.drafting import V2, drafted, plain
from tests.ledger_books import OUTPUT_VAT, Books, as_owner, books_of
from tests.selling import Shop, line

from ledgerbee.app.verify import verify
from ledgerbee.platform.context import Context

MASTER: Final = "master data, as the API changes it; documents and entries keep what they were made with"
TEXT: Final = "text, or what the API decides by; no amount, day or state of what is booked follows from it"
STAYS: Final = "stays as it was written: no UPDATE of it, or a trigger"
OWN: Final = "of the company alone, and of what is not booked"
GUARD: Final = "refused where it matters: tests/contract/test_application_role.py, tests/api/test_presales_sending.py"
#: Changed by the second test, which `verify` has to notice: by the statement that stands here, or by another value.
VERIFY: Final = "verify"

#: Of tables with money or law in them each column; `*` are all columns of the others.
COLUMNS: Final[dict[str, dict[str, str]]] = {
    "invoices": {
        VERIFY: "id status number number_sequence customer_id issue_date due_date currency subtotal vat amount"
        " amount_paid credited_amount applied_credit written_off_amount receivable_account_id exchange_rate base_amount"
        " journal_entry_id is_prepayment deducted_by_invoice_id",
        STAYS: "customer_department_id customer_contact_id payment_terms_days reference our_reference description notes"
        " document_template_id delivery_date created_at",
        GUARD: "converted_from_quote_id converted_from_order_confirmation_id",
        TEXT: "sent_at updated_at",
    },
    "invoice_lines": {
        VERIFY: "invoice_id net vat prepayment_invoice_id",
        STAYS: "id position line_type description price_id product_id unit quantity unit_price unit_price_given"
        " discount_percent discount_given vat_rate account_id vat_code_id service_period_start service_period_end"
        " subscription_id child_customer_id",
    },
    "quotes": {
        VERIFY: "id number number_sequence customer_id issue_date currency subtotal vat amount",
        GUARD: "status valid_until answered_at answered_by answer_comment converted_to_order_confirmation_id"
        " converted_to_invoice_id",
        STAYS: "customer_department_id customer_contact_id reference our_reference description notes"
        " document_template_id sent_at created_at",
        TEXT: "updated_at",
    },
    "quote_links": {VERIFY: "id", OWN: "quote_id secret"},
    "quote_lines": {
        VERIFY: "quote_id net vat",
        STAYS: "id position line_type description price_id product_id unit quantity unit_price unit_price_given"
        " discount_percent discount_given vat_rate account_id vat_code_id",
    },
    "order_confirmations": {
        VERIFY: "id number number_sequence customer_id issue_date currency subtotal vat amount",
        GUARD: "status converted_from_quote_id converted_to_invoice_id",
        STAYS: "customer_department_id customer_contact_id reference our_reference description notes"
        " document_template_id sent_at created_at",
        TEXT: "updated_at",
    },
    "order_confirmation_lines": {
        VERIFY: "order_confirmation_id net vat",
        STAYS: "id position line_type description price_id product_id unit quantity unit_price unit_price_given"
        " discount_percent discount_given vat_rate account_id vat_code_id",
    },
    "credit_notes": {
        VERIFY: "id status number number_sequence customer_id issue_date currency subtotal vat amount invoice_id"
        " invoice_number receivable_account_id exchange_rate base_amount journal_entry_id",
        STAYS: "customer_department_id customer_contact_id reference our_reference description notes"
        " document_template_id created_at",
        TEXT: "sent_at updated_at",
    },
    "credit_note_lines": {
        VERIFY: "credit_note_id net vat price_id vat_rate account_id vat_code_id invoice_line_id",
        STAYS: "id position line_type description product_id unit quantity unit_price unit_price_given"
        " discount_percent discount_given service_period_start service_period_end",
    },
    "revenue_deferrals": {
        VERIFY: "invoice_line_id invoice_id account_id revenue_account_id period_start period_end amount base_amount"
        " amount_left base_amount_left scheduled_amount scheduled_base_amount next_month",
        STAYS: "created_at",
    },
    "revenue_recognitions": {
        VERIFY: "invoice_line_id month amount base_amount journal_entry_id",
        STAYS: "created_at",
    },
    "revenue_deferral_credits": {
        VERIFY: "credit_note_id invoice_line_id first_day last_day amount base_amount",
    },
    "credit_uses": {
        VERIFY: "id customer_id invoice_id account_id used_on amount currency exchange_rate base_taken base_given"
        " journal_entry_id",
        STAYS: "reference created_at",
    },
    "credit_use_parts": {
        VERIFY: "use_id source_invoice_id credit_note_id amount base_amount",
        STAYS: "position",
    },
    "document_snapshots": {VERIFY: "document_id content", STAYS: "document_type created_at"},
    "payments": {
        VERIFY: "id invoice_id customer_id paid_on amount currency exchange_rate base_amount base_settled account_id"
        " journal_entry_id reversal_entry_id",
        STAYS: "reference created_at reversed_at",
    },
    "write_offs": {
        VERIFY: "id invoice_id written_off_on amount vat_amount base_amount base_vat_amount prepaid_amount"
        " journal_entry_id reversal_entry_id",
        STAYS: "description created_at reversed_at",
    },
    "journal_entries": {VERIFY: "reference external_system_id"},
    "journal_attachments": {
        VERIFY: "entry_id hash",
        STAYS: "id position file_name content_type size created_at",
    },
    "companies": {
        VERIFY: "name email address city postal_code country_code vat_number billing_email phone preferred_language"
        " contact_person_first_name contact_person_last_name website base_currency time_zone payment_terms_days"
        " bank_name bank_registration_number bank_account_number iban bic fik_creditor_number licenses"
        " usage_grace_days after_last_decline created_at logo_format daily_hour",
        MASTER: "logo updated_at",
        STAYS: "clock_offset_days is_sandbox",
    },
    "test_clocks": {OWN: "status started_on reached advancing_to failure"},
    "accounts": {
        VERIFY: "number name standard_number ledger_type classification control_account_type vat_code_id"
        " is_active",
        STAYS: "id role sum_from created_at",
    },
    "vat_codes": {
        VERIFY: "code name type principle account_id contra_account_id return_box einvoice_category exemption_reason"
        " exemption_reason_da is_active",
        STAYS: "id rate deductible_percent created_at",
    },
    "vat_code_rates": {VERIFY: "vat_code_id valid_from rate deductible_part deductible_whole"},
    "company_exchange_rates": {VERIFY: "rate", STAYS: "currency day", TEXT: "updated_at"},
    "credentials": {
        VERIFY: "kind subject_id scopes expires_at",
        OWN: "secret_hash ip_allowlist version made_by user_id session_id resource",
    },
    "memberships": {OWN: "*"},
    "invitations": {OWN: "*"},
    "connections": {OWN: "*"},
    "authorization_codes": {OWN: "*"},
    "refresh_tokens": {OWN: "*"},
    "api_keys": {VERIFY: "id scopes revoked_at", OWN: "name prefix ip_allowlist expires_at created_at created_by"},
    "oauth_clients": {VERIFY: "id scopes revoked_at", OWN: "name ip_allowlist expires_at created_at created_by"},
    "events": {
        VERIFY: "object_id type sequence data occurred_at position",
        STAYS: "id before actor request_id credential_kind credential_id address",
    },
    "draft_journal_entries": {
        VERIFY: "id journal_entry_id",
        OWN: "status entry_type entry_date currency exchange_rate original_amount description reference"
        " external_system_id customer_id vendor_id journal_category_id tag_ids attachment_count created_at updated_at"
        " delivery_date",
    },
    "journal_imports": {
        VERIFY: "id entries_posted",
        OWN: "format file_name status content_hash bytes_total bytes_read position line error_count failure summary"
        " created_at started_at completed_at opens_from opens_through csv_options csv_dialect bytes_kept received_at"
        " upload_secret_hash",
    },
    "idempotency_keys": {GUARD: "key request_hash status content_type body created_at"},
    "billing_runs": {
        STAYS: "id trigger as_of is_dry_run confirms_catch_up subscription_ids created_at",
        OWN: "status processed invoices credit_notes skipped refused code message started_at completed_at updated_at",
    },
    "billing_schedules": {
        STAYS: "subscription_id price_id billing_period_type",
        OWN: "billed_until next_billing_date carried",
    },
    "subscriptions": {
        STAYS: "id customer_id partner_reference_id currency starts_on trial_until proration_behavior created_at",
        OWN: "version name plan_id is_paused ends_on is_cancelled payment_method_id automatic_billing"
        " customer_department_id department_contact_override_id awaits_payment billed_until emitted_until next_run_on"
        " first_invoice_id pay_by updated_at",
    },
    "subscription_versions": {STAYS: "*"},
    "subscription_changes": {
        STAYS: "id subscription_id type effective_on payload proration_behavior restarts_period created_at",
        OWN: "status failure updated_at",
    },
    "subscription_charges": {
        STAYS: "id subscription_id price_id kind period_start period_end part change_id service_start service_end"
        " quantity period_amount discount_percent net events carried credits_charge_id created_at",
        OWN: "waits invoice_id invoice_line_id credit_note_id credit_note_net",
    },
    "billing_run_results": {OWN: "*"},
    "subscription_plans": {
        STAYS: "id created_at", MASTER: "name status display_order vanity updated_at",
        OWN: "version",
    },
    "subscription_plan_versions": {STAYS: "*"},
    "subscription_plan_cadences": {STAYS: "*"},
    "subscription_plan_items": {STAYS: "*"},
    "deliveries": {
        GUARD: "id document_type document_id delivery_type recipient status created_at updated_at is_latest",
        TEXT: "recipient_given",
    },
    "delivery_recipients": {GUARD: "id delivery_id position address status reason updated_at"},
    "pgqueuer": {GUARD: "id priority status entrypoint dedupe_key execute_after payload headers"},
    "pgqueuer_log": {GUARD: "job_id status priority entrypoint"},
    "draft_journal_lines": {OWN: "*"},
    "usage_events": {
        VERIFY: "meter_id customer_id subscription_id named_subscription_id day occurred_at value state received_on",
        STAYS: "id key body_hash received_at",
        TEXT: "metadata",
    },
    "usage_days": {
        VERIFY: "subscription_id meter_id customer_id day events too_late withdrawn sum max last_value last_at last_id"
    },
    "metered_spans": {OWN: "*"},
    "late_usage": {OWN: "*"},
    "event_counters": {OWN: "*"},
    "payment_providers": {OWN: "*"},
    "provider_events": {OWN: "*"},
    "charges": {
        VERIFY: "id reference invoice_id customer_id amount currency status payment_id unapplied_amount"
        " unapplied_entry_id",
        STAYS: "payment_method_id provider attempt created_at",
        OWN: "provider_id decline_code decline_message is_soft_decline action_url retry_on asked_at finished_at"
        " confirm_by cancel_code cancel_asked_at updated_at",
    },
    "refunds": {
        VERIFY: "id charge_id invoice_id customer_id provider amount currency status",
        STAYS: "reference created_at",
        OWN: "provider_id failure_code failure_message asked_at finished_at updated_at",
    },
    "disputes": {
        VERIFY: "id provider charge_id invoice_id customer_id status amount currency fee",
        STAYS: "provider_id created_at",
        OWN: "reason ended_at updated_at",
    },
    "charge_returns": {
        VERIFY: "charge_id invoice_id customer_id refund_id dispute_id returned_on amount currency exchange_rate"
        " base_amount settled_amount base_settled unapplied_amount base_unapplied unidentified_amount base_unidentified"
        " unidentified_account_id fee base_fee fee_account_id clearing_account_id journal_entry_id",
        STAYS: "id created_at",
    },
    "payouts": {
        VERIFY: "id provider provider_id amount currency paid_at paid_on status fee_amount unidentified_amount"
        " cleared_amount cleared_base_amount left_amount left_base_amount base_amount exchange_rate bank_account_id"
        " clearing_account_id journal_entry_id",
        STAYS: "named_account_id created_at",
        OWN: "waits_for updated_at",
    },
    "payout_movements": {
        VERIFY: "provider type amount fee currency payout_id payout_name charge_id refund_id dispute_id account_id"
        " cleared_amount base_amount unidentified_amount",
        STAYS: "id provider_id moved_at object_id charge_object_id reference description created_at",
        OWN: "updated_at",
    },
    "reconciliations": {OWN: "*"},
    "reconciliation_differences": {OWN: "*"},
    "sandbox_cards": {OWN: "*"},
    "sandbox_charges": {OWN: "*"},
    "sandbox_refunds": {OWN: "*"},
    "sandbox_events": {OWN: "*"},
    "payment_methods": {
        STAYS: "id provider agreement_id created_at",
        OWN: "customer_id label is_default status card_mask card_type expiry_month expiry_year told_expiry updated_at",
    },
    "card_links": {
        STAYS: "id customer_id provider reference expires_at created_at",
        OWN: "provider_id url status payment_method_id updated_at",
    },
    "spent_request_states": {OWN: "*"},
    "webhook_deliveries": {OWN: "*"},
    "webhook_endpoints": {OWN: "*"},
    "staged_commands": {OWN: "*"},
    "application_postings": {OWN: "*"},
    "e_invoice_answers": {TEXT: "*"},
    "incoming_answers": {OWN: "*"},
    "incoming_documents": {OWN: "*"},
    "incoming_messages": {OWN: "*"},
    "draft_attachments": {OWN: "*"},
    "import_parts": {OWN: "*"},
    "import_errors": {OWN: "*"},
    "usage_backfills": {
        STAYS: "id meter_id customer_id starts_on ends_on opened_at created_at", VERIFY: "events superseded",
        OWN: "status closed_at reverted_at cancelled_at",
    },
    "usage_backfill_events": {STAYS: "backfill_id event_id is_superseded", OWN: "state_before"},
    "usage_imports": {OWN: "*"},
    "usage_import_parts": {OWN: "*"},
    "usage_import_errors": {OWN: "*"},
    "blob_leases": {OWN: "*"},
    **{
        table: {MASTER: "*"}
        for table in [
            "contacts", "customer_groups", "customers", "departments", "dimension_values", "dimensions",
            "document_templates", "journal_categories", "meters", "prices", "product_groups", "products", "projects",
            "subprojects", "vendor_groups", "vendors",
        ]
    },
}  # fmt: skip
#: How a column is changed where just another value would be refused, or is not what a thief would write.
CHANGES: Final = {
    "companies.fik_creditor_number": "fik_creditor_number = '87654321'",
    "invoices.status": "status = 'uncollectible' WHERE status = 'sent'",
    "invoices.subtotal": "subtotal = subtotal + 1, amount = amount + 1",
    "invoices.vat": "vat = vat + 1, subtotal = subtotal - 1",
    "invoices.amount": "amount = amount + 1, vat = vat + 1",
    "invoices.amount_paid": "amount_paid = amount, status = 'paid' WHERE status = 'sent'",
    "invoices.credited_amount": "credited_amount = amount, status = 'credited' WHERE status = 'sent'",
    "invoices.applied_credit": "applied_credit = amount, status = 'paid' WHERE status = 'sent'",
    "invoices.written_off_amount": "written_off_amount = amount, status = 'uncollectible' WHERE status = 'sent'",
    "invoices.is_prepayment": "is_prepayment = true WHERE NOT is_prepayment AND status = 'sent'",
    "invoices.deducted_by_invoice_id": "deducted_by_invoice_id = NULL WHERE deducted_by_invoice_id IS NOT NULL",
    "invoice_lines.prepayment_invoice_id": "prepayment_invoice_id = NULL WHERE prepayment_invoice_id IS NOT NULL",
    **{
        f"{table}.{column}": f"{column} = gen_random_uuid() WHERE {column} IS NOT NULL"
        for table, column in (
            ("credit_uses", "invoice_id"),
            ("credit_uses", "account_id"),
            ("credit_use_parts", "source_invoice_id"),
            ("credit_use_parts", "credit_note_id"),
            ("credit_notes", "invoice_id"),
        )
    },
    "credit_notes.invoice_number": "invoice_number = invoice_number || 'x' WHERE invoice_number IS NOT NULL",
    "credit_notes.status": "status = 'cancelled', receivable_account_id = NULL, exchange_rate = NULL,"
    " base_amount = NULL, journal_entry_id = NULL, sent_at = NULL WHERE status = 'sent'",
    "credit_notes.number_sequence": "number_sequence = number_sequence + 100",
    "credit_notes.subtotal": "subtotal = subtotal - 1, amount = amount - 1",
    "credit_notes.vat": "vat = vat - 1, subtotal = subtotal + 1",
    "credit_notes.amount": "amount = amount - 1, vat = vat - 1",
    "credit_notes.base_amount": "base_amount = base_amount - 1",
    "credit_notes.exchange_rate": "exchange_rate = exchange_rate + 1 WHERE status = 'sent'",
    "credit_notes.journal_entry_id": "journal_entry_id = gen_random_uuid() WHERE status = 'sent'",
    "credit_notes.receivable_account_id": "receivable_account_id = gen_random_uuid() WHERE status = 'sent'",
    "credit_notes.issue_date": "issue_date = issue_date + 1",
    "invoices.issue_date": "issue_date = issue_date - 1",
    "invoice_lines.invoice_id": "invoice_id = gen_random_uuid() WHERE line_type = 'product'",
    **{
        f"{table}.{column}": change
        for table in ("quotes", "order_confirmations")
        for column, change in {
            "subtotal": "subtotal = subtotal + 1, amount = amount + 1",
            "vat": "vat = vat + 1, subtotal = subtotal - 1",
            "amount": "amount = amount + 1, vat = vat + 1",
            "issue_date": "issue_date = issue_date - 1",
        }.items()
    },
    "quote_lines.quote_id": "quote_id = gen_random_uuid() WHERE line_type = 'product'",
    "order_confirmation_lines.order_confirmation_id": "order_confirmation_id = gen_random_uuid()"
    " WHERE line_type = 'product'",
    "document_snapshots.content": "content = jsonb_set(content, '{amount}', '\"1.00\"')",
    "charges.reference": "reference = upper(left(md5(reference), 16))",
    "charges.customer_id": "customer_id = gen_random_uuid()",
    "charges.amount": "amount = amount + 1",
    "charges.status": "status = 'failed', decline_code = 'x', payment_id = NULL, unapplied_amount = 0,"
    " unapplied_entry_id = NULL",
    "charges.payment_id": "payment_id = gen_random_uuid()",
    "charges.unapplied_amount": "unapplied_amount = unapplied_amount - 1",
    "charges.unapplied_entry_id": "unapplied_entry_id = gen_random_uuid()",
    "refunds.status": "status = 'failed', failure_code = 'x', finished_at = created_at WHERE status = 'succeeded'",
    "refunds.provider": "provider = 'sandbox'",
    "disputes.provider": "provider = 'sandbox'",
    "disputes.status": "status = 'won' WHERE status = 'lost'",
    "charge_returns.refund_id": "refund_id = gen_random_uuid() WHERE refund_id IS NOT NULL",
    "charge_returns.dispute_id": "dispute_id = gen_random_uuid() WHERE dispute_id IS NOT NULL",
    "charge_returns.amount": "amount = amount + 1, unidentified_amount = unidentified_amount + 1"
    " WHERE dispute_id IS NOT NULL",
    "charge_returns.settled_amount": "settled_amount = settled_amount - 1, unapplied_amount = unapplied_amount + 1"
    " WHERE refund_id IS NOT NULL",
    "charge_returns.unapplied_amount": "unapplied_amount = unapplied_amount - 1, settled_amount = settled_amount + 1"
    " WHERE refund_id IS NOT NULL",
    "charge_returns.unidentified_amount": "unidentified_amount = unidentified_amount - 1, settled_amount ="
    " settled_amount + 1 WHERE dispute_id IS NOT NULL",
    "charge_returns.unidentified_account_id": "unidentified_account_id = gen_random_uuid()"
    " WHERE unidentified_account_id IS NOT NULL",
    "charge_returns.fee_account_id": "fee_account_id = gen_random_uuid() WHERE fee_account_id IS NOT NULL",
    "charge_returns.fee": "fee = fee + 1 WHERE fee > 0",
    "payouts.amount": "amount = amount + 1, cleared_amount = cleared_amount + 1",
    "payouts.status": "status = 'pending', waits_for = 'x', journal_entry_id = NULL, cleared_amount = 0",
    "payouts.fee_amount": "fee_amount = fee_amount + 1, cleared_amount = cleared_amount + 1",
    "payouts.unidentified_amount": "unidentified_amount = unidentified_amount + 1, cleared_amount = cleared_amount - 1",
    "payouts.cleared_amount": "cleared_amount = cleared_amount + 1, amount = amount + 1",
    "payout_movements.type": "type = 'other' WHERE type = 'fee'",
    "payout_movements.charge_id": "charge_id = gen_random_uuid() WHERE charge_id IS NOT NULL",
    "payout_movements.refund_id": "refund_id = charge_id, charge_id = NULL WHERE charge_id IS NOT NULL",
    "payout_movements.dispute_id": "type = 'dispute', dispute_id = charge_id WHERE charge_id IS NOT NULL",
    "payout_movements.account_id": "account_id = gen_random_uuid() WHERE charge_id IS NOT NULL",
    "payout_movements.cleared_amount": "cleared_amount = cleared_amount + 1 WHERE charge_id IS NOT NULL",
    "payout_movements.base_amount": "base_amount = base_amount + 1 WHERE charge_id IS NOT NULL",
    "payments.amount": "amount = amount - 1",
    "payments.base_amount": "base_amount = 1",
    "payments.base_settled": "base_settled = 1",
    "payments.reversal_entry_id": "reversal_entry_id = gen_random_uuid() WHERE reversed_at IS NOT NULL",
    "write_offs.reversal_entry_id": "reversal_entry_id = gen_random_uuid() WHERE reversed_at IS NOT NULL",
    "revenue_deferrals.period_start": "period_start = period_start + 1",
    "revenue_deferrals.amount_left": "amount_left = amount_left - 1",
    "revenue_deferrals.base_amount_left": "base_amount_left = base_amount_left - 1",
    "revenue_deferrals.next_month": "next_month = next_month + interval '1 month'",
    "revenue_deferral_credits.first_day": "first_day = first_day - 60",
    "revenue_recognitions.month": "month = month + interval '1 month'",
    "journal_attachments.hash": "hash = sha256(hash)",
    "companies.preferred_language": "preferred_language = 'en'",
    "companies.payment_terms_days": "payment_terms_days = 1",
    "companies.daily_hour": "daily_hour = 6",
    "companies.after_last_decline": "after_last_decline = 'pause'",
    "companies.licenses": "licenses = '{}'",
    "companies.logo_format": "logo = 'x', logo_format = 'png'",
    "accounts.ledger_type": "ledger_type = 'BALANCE_SHEET' WHERE number = 91011",
    "accounts.classification": "classification = 'EXPENSE' WHERE number = 91011",
    "accounts.control_account_type": "control_account_type = 'ACCOUNTS_PAYABLE' WHERE number = 91011",
    "accounts.number": "number = number + 100000",
    "vat_codes.type": "type = CASE type WHEN 'SALES' THEN 'PURCHASE' ELSE 'SALES' END",
    "vat_codes.principle": "principle = CASE principle WHEN 'Net' THEN 'Gross' ELSE 'Net' END",
    "vat_codes.einvoice_category": "einvoice_category = 'AE'",
    "vat_code_rates.valid_from": "valid_from = '2026-01-01'",
    "vat_code_rates.rate": "rate = 1",
    "vat_code_rates.deductible_part": "deductible_part = 0",
    "vat_code_rates.deductible_whole": "deductible_whole = 7 * deductible_whole",
    "credentials.kind": "kind = 'oauth_client'",
    "credentials.scopes": "scopes = scopes || '{companies-read}'::text[]",
    "credentials.expires_at": "expires_at = 'infinity' WHERE kind = 'oauth_token'",
    "api_keys.scopes": "scopes = '{}'",
    "oauth_clients.scopes": "scopes = '{}'",
    "api_keys.revoked_at": "revoked_at = now()",
    "oauth_clients.revoked_at": "revoked_at = now()",
    "events.sequence": "sequence = sequence + 1000",
    "events.position": "position = position + 1000",
    "events.type": "type = 'x.y' WHERE type = 'journal_entry.posted'",
    "events.data": "data = '{}' WHERE type = 'journal_entry.posted'",
    "draft_journal_entries.journal_entry_id": "journal_entry_id = gen_random_uuid() WHERE status = 'booked'",
    "usage_events.state": "state = 'withdrawn'",
    "usage_events.received_on": "received_on = received_on + 10",
    "draft_journal_entries.id": "id = gen_random_uuid() WHERE status = 'booked'",
}
_WRITABLE: Final = """
SELECT c.relname, a.attname, format_type(a.atttypid, NULL) AS type
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
  AND a.attgenerated = '' AND a.attname <> 'company_id'
  AND (has_column_privilege('ledgerbee_app', c.oid, a.attnum, 'INSERT')
       OR has_column_privilege('ledgerbee_app', c.oid, a.attnum, 'UPDATE'))
"""
#: Another value of a type.
OTHERS: Final = {
    "uuid": "gen_random_uuid()", "text": "coalesce({0}, '') || 'x'", "numeric": "{0} + 1", "integer": "{0} + 1",
    "bigint": "{0} + 1", "date": "{0} + 1", "timestamp with time zone": "{0} - interval '2 days'",
    "boolean": "NOT {0}", "text[]": "{0} || '{{x}}'::text[]",
}  # fmt: skip


def columns_of(found: list[asyncpg.Record]) -> dict[tuple[str, str], str]:
    """What stands above of each column that was found."""
    return {
        (table, column): kind
        for table, kinds in COLUMNS.items()
        for kind, names in kinds.items()
        for column in ([one["attname"] for one in found if one["relname"] == table] if names == "*" else names.split())
    }


@pytest_asyncio.fixture
async def writable(database_url: str) -> list[asyncpg.Record]:
    owner = await as_owner(database_url)
    found = await owner.fetch(_WRITABLE)
    await owner.close()
    return list(found)


async def test_each_column_has_somebody_who_notices_or_a_reason(writable: list[asyncpg.Record]) -> None:
    found = {(one["relname"], one["attname"]) for one in writable}
    assert found == columns_of(writable).keys(), "a new column goes into `COLUMNS`: who notices another value?"


async def _deferred(shop: Shop) -> None:
    """Revenue of February to April: of an invoice that is recognised in part, and of one that is credited then too."""
    period = {"servicePeriodStart": "2026-02-01", "servicePeriodEnd": "2026-04-30"}
    price = await shop.price("890")
    for is_credited in (False, True):
        sold = await shop.sold(line(price, **period), date="2026-02-10")
        await shop.ok("POST", "/v1/deferred-revenue/recognize", {"month": "2026-02"}, status=200)
        if is_credited:
            await shop.credited(sold, line(price, 1, unitPrice="100"))


async def a_year_of(api: Api) -> Books:
    """Books with something of everything that `verify` looks at."""
    shop, books = Shop(api), await books_of(api)
    await shop.ok("PATCH", "/v1/company", {"bankName": "Arbejdernes Landsbank", "email": "a@b.dk"})
    made = {"accountNumber": 91011, "name": "Salg på nettet", "publicAccountId": 1010}
    await shop.ok("POST", "/v1/accounts", made)
    output_vat = await account(shop, OUTPUT_VAT)
    code = {"vatCode": "X25", "name": "Salg 25 %", "vatRate": 25, "type": "SALES", "principle": "Net"}
    await shop.ok("POST", "/v1/vat-codes", {**code, "accountToBookId": output_vat})
    await shop.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": "2026-03-16", "rate": "7.5"})
    await token_of(api.http, await make_client(api))
    await shop.sold(line(await shop.price("100")))
    for amounts in (("50",), ("125",), ("125",)):
        sold = await shop.sold(line(await shop.price("100")))
        paid = [await pay(shop, sold, amount) for amount in amounts]
    await shop.ok("POST", f"/v1/payments/{paid[0]['id']}/reverse", {}, status=200)
    returned = await shop.sold(line(await shop.price("100"), 2))
    one = {"invoiceLineId": returned["lines"][0]["id"], "quantity": 1}
    await shop.credited(returned, one)
    await shop.credit(returned, one)
    customer = await shop.customer()
    await give(shop, customer, "100")
    await overpaid(shop, customer)
    await apply(shop, await sell(shop, customer, "100"))
    await refund(shop, customer, "100")
    await shop.draft(await shop.customer(), line(await shop.price("100")))
    for is_taken_back in (True, False):
        lost = await shop.sold(line(await shop.price("100")))
        await shop.ok("POST", f"/v1/invoices/{lost['id']}/write-off", {})
        if is_taken_back:
            await shop.ok("POST", f"/v1/invoices/{lost['id']}/write-off/reverse", {}, status=200)
    await shop.ordered(await shop.offered(line(await shop.price("100"))))
    await _prepaid(shop)
    await _deferred(shop)
    draft = await drafted(books, plain(books))
    assert (await api.post(f"{V2}/{draft['id']}/book")).status_code == 200
    await attach(books, File.of(PDF, "application/pdf"))
    await imported(api, lines(row("1.00"), row("2.00")))
    await _charged(api)
    metered = await metering(api)
    await metered.span(date(2026, 1, 1))
    await metered.reported(5)
    told = {"meterId": metered.meter_id, "from": "2026-03-01", "to": "2026-03-16"}
    backfill = (await api.post("/v1/usage/backfills", told)).json()["id"]
    assert (await api.post(f"/v1/usage/backfills/{backfill}/events", {"events": [metered.keyed(5)]})).is_success
    assert (await api.post(f"/v1/usage/backfills/{backfill}/close")).is_success
    return books


async def _charged(api: Api) -> None:
    """A charge that found a part of its invoice paid, was refunded in part, and lost in a dispute."""
    charger = Refunder(api)
    await charger.set_up()
    invoice = await charger.due("100")
    charger.provider.next = [Behavior.LOSES_ANSWER]
    charge = await charger.carry_out(await charger.charge(invoice))
    await pay(charger, invoice, "25")
    charge = await charger.carry_out(charge)
    assert charge["status"] == "succeeded"
    await charger.refunded(charge, "50")
    await charger.told(charge, "lost", fee=D(15))
    paid_out = {"currency": "DKK", "date": "2026-03-16", "payout": "po_1"}
    movements = [
        {"id": "t1", "type": "charge", "amount": "125", "fee": "3", "reference": charge["reference"], **paid_out},
        {"id": "t2", "type": "fee", "amount": "-2", **paid_out},
        {"id": "t3", "type": "charge", "amount": "10", **paid_out},
        {"id": "t4", "type": "payout", "amount": "-130", **paid_out},
    ]
    (payout,) = (await charger.ok("POST", "/v1/payouts/import", {"provider": "stripe", "movements": movements}))[
        "payouts"
    ]
    assert (payout["status"], payout["unidentifiedAmount"]) == ("paid", "10.00")


async def _prepaid(shop: Shop) -> None:
    """A prepayment invoice and the invoice that deducts it."""
    price, customer = await shop.price("100"), await shop.customer()
    ahead = await shop.send(await shop.draft(customer, line(price), isPrepayment=True))
    await shop.send(await shop.draft(customer, line(price, 2), prepaymentInvoiceIds=[ahead["id"]]))


class DoneError(Exception):
    """Rolls back what was changed."""


async def found_after(api: Api, statement: str) -> str | None:
    """What `verify` says after a statement of the owner with all triggers off, which is then undone."""
    said: list[str | None] = []

    async def work(context: Context) -> None:
        await context.connection.execute("SET LOCAL ROLE NONE; SET LOCAL session_replication_role = replica")
        if await context.connection.execute(statement, api.company_id) == "UPDATE 0":
            raise asyncpg.NoDataFoundError
        await context.connection.execute("SET LOCAL ROLE ledgerbee_worker")
        fault = (await verify(context)).fault
        said.append(None if fault is None else fault.what)
        raise DoneError

    with pytest.raises(DoneError):
        await api.run(work, one_snapshot=True)
    return said[-1]


def change(table: str, column: str, kind: str) -> str:
    """The statement that changes a column of a company's rows."""
    other = OTHERS.get(kind, "").format(column)
    text = CHANGES.get(f"{table}.{column}", f"{column} = {other}")
    what, _, where = text.partition(" WHERE ")
    where = where or ("status <> 'draft'" if table in {"invoices", "quotes", "order_confirmations"} else "")
    return f"UPDATE {table} SET {what} WHERE company_id = $1" + (f" AND {where}" if where else "")


async def test_verify_finds_another_value_in_each_column_that_it_answers_for(
    api: Api, writable: list[asyncpg.Record]
) -> None:
    books = await a_year_of(api)
    assert (await books.verify_all()).fault is None
    kinds = columns_of(writable)
    unnoticed = {}
    for table, column, kind in writable:
        if kinds[table, column] == VERIFY:
            statement = change(table, column, kind)
            try:
                if await found_after(api, statement) is None:
                    unnoticed[statement] = "nothing"
            except asyncpg.PostgresError as fault:
                unnoticed[statement] = str(fault)
    assert unnoticed == {}
