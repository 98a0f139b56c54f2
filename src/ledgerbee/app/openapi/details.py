"""The `details` of errors in the document's examples, as the operations show them."""

from collections.abc import Mapping
from itertools import takewhile
from typing import Any, Final

from ledgerbee.app.openapi.samples import sample
from ledgerbee.core.fields import wire_name
from ledgerbee.http.wire import EXAMPLE_ID

#: A status that refuses what is asked, and what stands on an object, by resource: those that the rules name.
_STATUSES: Final = {
    "CHARGE": "failed",
    "CONNECTION": "revoked",
    "CREDIT_NOTE": "sent",
    "DIMENSION": "project",
    "DRAFT_JOURNAL_ENTRY": "booked",
    "INCOMING_DOCUMENT": "drafted",
    "INVITATION": "accepted",
    "INVOICE": "paid",
    "JOURNAL_ENTRY": "reversal",
    "JOURNAL_IMPORT": "completed",
    "METER": "ARCHIVED",
    "OAUTH_CLIENT": "revoked",
    "ORDER_CONFIRMATION": "converted",
    "PAYMENT_METHOD": "CANCELLED",
    "PRODUCT": "ARCHIVED",
    "PRODUCT_PRICE": "ARCHIVED",
    "PROJECT": "archived",
    "QUOTE": "converted",
    "SANDBOX_EVENT": "failed",
    "SUBSCRIPTION": "cancelled",
    "SUBSCRIPTION_CHANGE": "applied",
    "SUBSCRIPTION_PLAN": "ARCHIVED",
    "USAGE_BACKFILL": "cancelled",
    "USAGE_EVENT": "withdrawn",
    "USAGE_IMPORT": "completed",
    "WEBHOOK_ENDPOINT": "disabled_by_user",
}
_USED_BY: Final = {
    "ACCOUNT": "vatCodes",
    "DIMENSION": "projects",
    "DIMENSION_VALUE": "values",
    "INVOICE": "quotes",
    "PRODUCT": "documents",
    "PRODUCT_GROUP": "products",
    "PRODUCT_PRICE": "documents",
    "SUBPROJECT": "defaultSubproject",
    "VAT_CODE": "accounts",
}
#: What is not found -> the ends of the fields that refer to it, the likeliest first; and what its id is called.
_REFERENCES: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "ACCOUNT": (("accountId", "AccountId", "accountToBookId"), "accountId"),
    "CONTACT": (("customerContactId", "contactId"), "contactId"),
    "DEPARTMENT": (("customerDepartmentId", "departmentId"), "departmentId"),
    "DIMENSION_VALUE": (("tagIds", "parentId"), "valueId"),
    "EVENT": (("eventIds",), "eventId"),
    "INVOICE": (("invoiceNumber",), "invoiceNumber"),
    "JOURNAL_ENTRY": (("journalEntryIds",), "journalEntryId"),
    "LEDGER": (("defaultAccountId",), "accountId"),
    "PRODUCT_PRICE": (("priceId",), "priceId"),
    "PAYMENT_METHOD": (("paymentMethodId",), "paymentMethodId"),
    "SANDBOX_EVENT": (("eventId",), "eventId"),
    "SUBSCRIPTION": (("id",), "subscriptionId"),
    "SUBSCRIPTION_PLAN": (("planId",), "planId"),
}
#: What the name in a path is called, where it isn't the resource's own.
_PATH_NAMES: Final = {
    "DIMENSION_VALUE": "valueId",
    "JOURNAL_IMPORT": "importId",
    "SUBSCRIPTION_CHANGE": "changeId",
    "SUBSCRIPTION_PLAN": "planId",
}

_BY_LINE: Final = {"property": "lines.0.accountId", "accountId": EXAMPLE_ID}
#: The details of a code that is of no family. A `property` is the field's place where the operation has the field.
_OTHERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "ACCOUNT_NOT_BOOKABLE": _BY_LINE,
    "API_KEY_SCOPE_NOT_ASSIGNABLE": {"scope": "portal-provision"},
    "COMPANY_LIMIT_REACHED": {"limit": 10},
    "SANDBOX_LIMIT_REACHED": {"limit": 10},
    "TEST_CLOCK_ADVANCING": {"advancingTo": "2026-05-31"},
    "TEST_CLOCK_UNAVAILABLE": {"companyId": EXAMPLE_ID},
    "CREDIT_EXCEEDS_INVOICE": {"amount": "300.00", "amountDue": "250.00"},
    "CREDIT_NOTE_ACCOUNT_MISSING": {"role": "FX_LOSS"},
    "CREDIT_NOTE_AMOUNT_POSITIVE": {"amount": "125.00"},
    "CREDIT_NOTE_EXCEEDS_INVOICE": {"property": "lines.0.quantity", "quantityLeft": "2"},
    "CREDIT_NOTE_LINE_NOT_ON_INVOICE": {"property": "lines.0.invoiceLineId", "invoiceLineId": EXAMPLE_ID},
    "CREDIT_NOTE_RECIPIENT_MISSING": {"customerId": EXAMPLE_ID},
    "CUSTOMER_CREDIT_INSUFFICIENT": {"currency": "DKK", "available": "25.00"},
    "CUSTOMER_GROUP_ACCOUNT_INVALID": {"property": "accountId", "accountId": EXAMPLE_ID},
    "CUSTOMER_PARENT_INVALID": {"property": "parentCustomerId"},
    "DELIVERY_UNDERWAY": {"deliveryId": EXAMPLE_ID},
    "DIMENSION_NOT_ADDITIVE": {
        "property": "tagIds",
        "dimensionId": EXAMPLE_ID,
        "dimensionName": "Afdeling",
        "valueIds": ["0198f0a4-3d1c-7c5e-8a54-6d0f1f2b7c01", "0198f0a4-3d1c-7c5e-8a54-6d0f1f2b7c02"],
    },
    "DIMENSION_VALUE_PARENT_INVALID": {"property": "parentId"},
    "DOCUMENT_CHARACTERS_UNPRINTABLE": {
        "characters": [
            {
                "character": "\u16a0",
                "codePoint": "U+16A0",
                "name": "RUNIC LETTER FEHU FEOH FE F",
                "fields": ["lines.0.description"],
            }
        ]
    },
    "E_INVOICE_INCOMPLETE": {"format": "peppol", "missing": ["buyer.endpoint"]},
    "EXCHANGE_RATE_MISSING": {"currency": "USD", "baseCurrency": "DKK", "date": "2026-03-16"},
    "FISCAL_YEAR_MISSING": {
        "property": "date",
        "date": "2035-03-16",
        "firstKnownDay": "2026-01-01",
        "lastKnownDay": "2026-12-31",
        "hint": "`POST /v1/fiscal-years` opens the year after the newest, or one before the first",
    },
    "FISCAL_YEAR_NOT_ADJACENT": {"firstKnownDay": "2026-01-01", "lastKnownDay": "2026-12-31"},
    "FISCAL_YEAR_OVERLAPS": {"firstKnownDay": "2026-01-01", "lastKnownDay": "2026-12-31"},
    "INVALID_ATTACHMENT_TYPE": {
        "property": "attachments.0.content",
        "contentType": "application/pdf",
        "detectedTypes": ["image/png"],
    },
    "E_INVOICE_REFERENCE_UNKNOWN": {"reference": "1042"},
    "E_INVOICE_RESPONSE_UNREADABLE": {"reason": "there has to be one DocumentResponse with one DocumentReference"},
    "CHARGE_AMOUNT_INVALID": {"amount": "100.00", "amountDue": "1250.00"},
    "CHARGE_OF_ANOTHER_CARD": {
        "chargeId": EXAMPLE_ID,
        "status": "requires_action",
        "paymentMethodId": "550e8400-e29b-41d4-a716-446655440000",
    },
    "CHARGE_CURRENCY_MISMATCH": {"currency": "EUR", "invoiceCurrency": "DKK"},
    "PAYMENT_METHOD_INACTIVE": {"paymentMethodId": "550e8400-e29b-41d4-a716-446655440000"},
    "PAYMENT_METHOD_MISSING": {"customerId": "550e8400-e29b-41d4-a716-446655440000"},
    "INVOICE_AMOUNT_NEGATIVE": {"amount": "-125.00"},
    "INCOMING_DOCUMENT_ANSWER_NOT_ALLOWED": {
        "answer": "accepted",
        "lastAnswer": "rejected",
        "allowedAnswers": [],
    },
    "INCOMING_DOCUMENT_NOT_ANSWERABLE": {"missing": ["sender.endpoint"], "senderEndpoint": "9999:0123456789"},
    "INCOMING_DOCUMENT_NOT_DRAFTABLE": {"problems": ["ACCOUNT_UNKNOWN"]},
    "INCOMING_MESSAGE_DIFFERS": {"messageId": "90f14eff-3705-4869-ad3c-caae270a234e", "incomingDocumentId": EXAMPLE_ID},
    "INVOICE_BUYER_VAT_NUMBER_INVALID": {"customerId": EXAMPLE_ID, "vatCategory": "AE", "vatNumberCountry": "DK"},
    "INVOICE_BUYER_VAT_NUMBER_MISSING": {"customerId": EXAMPLE_ID, "vatCategory": "AE"},
    "INVOICE_NOT_WRITTEN_OFF": {"status": "paid"},
    "INVOICE_RECIPIENT_MISSING": {"customerId": EXAMPLE_ID},
    "INVOICE_SELLER_INCOMPLETE": {"missing": ["address", "vatNumber"]},
    "JOURNAL_CATEGORY_TYPE_NOT_ALLOWED": {"property": "journalCategoryId", "allowedJournalTypes": ["JOURNAL_ENTRY"]},
    "JOURNAL_ENTRY_ALREADY_REVERSED": {"reversedByEntryId": EXAMPLE_ID, "journalEntryId": EXAMPLE_ID},
    "JOURNAL_ENTRY_CONTROL_LINE_NOT_ALLOWED": _BY_LINE,
    "JOURNAL_ENTRY_PARTY_MISMATCH": {"property": "customerId"},
    "JOURNAL_ENTRY_PARTY_REQUIRED": {**_BY_LINE, "field": "customerId"},
    "JOURNAL_ENTRY_UNBALANCED": {"property": "lines", "currency": "entry", "debit": "100.00", "credit": "90.00"},
    "JOURNAL_ENTRY_VAT_AMOUNT_MISMATCH": {
        "property": "lines.0.vatAmount",
        "vatAmount": "30.00",
        "computedVatAmount": "25.00",
    },
    "JOURNAL_ENTRY_VAT_NOT_ALLOWED": {"property": "lines.0.vatCodeId", "vatCodeId": EXAMPLE_ID},
    "JOURNAL_IMPORT_QUOTA_EXCEEDED": {
        "waitingImports": 20,
        "maxImports": 20,
        "waitingBytes": 1_048_576,
        "maxBytes": 10_737_418_240,
    },
    "JOURNAL_IMPORT_REPEATED": {"importId": EXAMPLE_ID},
    "LICENSE.REQUIRED": {"licenseKey": "Subscription"},
    "LOCK_DATE_MOVES_BACK": {"lockedThrough": "2025-12-31"},
    "ORDER_CONFIRMATION_RECIPIENT_MISSING": {"customerId": EXAMPLE_ID},
    "PAYMENT_ACCOUNT_INVALID": {"accountId": EXAMPLE_ID},
    "INVOICE_DEFERRAL_ACCOUNT_MISSING": {"role": "DEFERRED_REVENUE"},
    "INVOICE_PREPAYMENT_ACCOUNT_MISSING": {"role": "CUSTOMER_PREPAYMENTS"},
    "INVOICE_PREPAYMENT_DEDUCTED": {"invoiceId": EXAMPLE_ID, "deductedByInvoiceId": EXAMPLE_ID},
    "INVOICE_PREPAYMENT_UNUSABLE": {
        "property": "prepaymentInvoiceIds",
        "invoiceId": EXAMPLE_ID,
        "reason": "status",
        "status": "uncollectible",
    },
    "SUBSCRIPTION_CADENCE_UNAVAILABLE": {"interval": "year", "intervalCount": 1},
    "SUBSCRIPTION_CADENCE_UNCHANGED": {"interval": "month", "intervalCount": 1},
    "SUBSCRIPTION_CURRENCY_MISMATCH": {"currency": "DKK", "planCurrency": "EUR"},
    "SUBSCRIPTION_PRICE_NOT_IN_PLAN": {"property": "productOverrides.0.priceId", "priceId": EXAMPLE_ID},
    "WRITE_OFF_ACCOUNT_MISSING": {"role": "BAD_DEBTS"},
    "PAYMENT_PROVIDER_ACCOUNT_INVALID": {"property": "feeAccountId", "accountId": EXAMPLE_ID},
    "PAYMENT_PROVIDER_DISABLED": {"provider": "stripe"},
    "PAYMENT_PROVIDER_REFUSED": {"provider": "stripe", "reason": "The card was cancelled"},
    "PAYMENT_PROVIDER_UNCLEAR": {"provider": "stripe", "reason": "No answer came within 30 seconds"},
    "PAYMENT_ACCOUNT_MISSING": {"role": "BANK"},
    "PAYMENT_ALREADY_REVERSED": {"reversalEntryId": EXAMPLE_ID},
    "CHARGE_CREDIT_USED": {"creditUsed": "125.00", "creditLeft": "0.00"},
    "REFUND_EXCEEDS_CHARGE": {"amount": "1250.00", "amountLeft": "250.00"},
    "PAYMENT_IS_CHARGE": {"chargeId": EXAMPLE_ID},
    "PAYMENT_CREDIT_USED": {"creditUsed": "125.00", "creditLeft": "0.00"},
    "PAYMENT_CURRENCY_MISMATCH": {"currency": "EUR", "invoiceCurrency": "DKK"},
    "PAYMENT_EXCEEDS_INVOICE": {"amount": "1300.00", "amountDue": "1250.00"},
    "PAYOUT_ALREADY_PAID": {"movementId": "txn_1042", "payout": "po_1042"},
    "PAYOUT_IMPORT_UNREADABLE": {"line": 3, "property": "amount"},
    "PAYOUT_MOVEMENT_DIFFERS": {"movementId": "txn_1042", "property": "fee"},
    "PERIOD_LOCKED": {"property": "date", "lockedThrough": "2026-03-31", "date": "2026-03-16"},
    "PRODUCT_GROUP_ACCOUNT_INVALID": {"property": "domesticAccountId", "accountId": EXAMPLE_ID},
    "PRODUCT_PRICE_LOCKED": {"fields": ["unitAmount"]},
    "PRODUCT_PRICE_QUANTITY_INVALID": {"property": "lines.0.quantity", "priceId": EXAMPLE_ID, "quantity": "-1"},
    "PROJECT_ARCHIVED": {"property": "tagIds", "valueId": EXAMPLE_ID},
    "QUOTE_RECIPIENT_MISSING": {"customerId": EXAMPLE_ID},
    "SALES_DOCUMENT_AMOUNT_TOO_LARGE": {"maximum": "9999999999999.99"},
    "SALES_DOCUMENT_CONVERT_REQUIRES_SENT": {"status": "draft"},
    "SALES_DOCUMENT_CUSTOMER_INACTIVE": {"customerId": EXAMPLE_ID},
    "SALES_DOCUMENT_DEPARTMENT_INACTIVE": {"departmentId": EXAMPLE_ID},
    "SALES_DOCUMENT_PRICE_CURRENCY_MISSING": {
        "property": "lines.0.priceId",
        "priceId": EXAMPLE_ID,
        "currency": "USD",
        "documentCurrency": "DKK",
    },
    "SALES_DOCUMENT_PRICE_NOT_USABLE": {
        "property": "lines.0.priceId",
        "priceId": EXAMPLE_ID,
        "status": "ARCHIVED",
        "productStatus": "ACTIVE",
    },
    "SUBSCRIPTION_PLAN_INTERVAL_MISMATCH": {
        "property": "items.0.priceId",
        "priceId": EXAMPLE_ID,
        "billingInterval": "year",
        "billingIntervalCount": 1,
        "interval": "month",
        "intervalCount": 1,
    },
    "SUBSCRIPTION_PLAN_PRICE_CURRENCY_MISSING": {
        "property": "items.0.priceId",
        "priceId": EXAMPLE_ID,
        "currency": "EUR",
        "planCurrency": "DKK",
    },
    "SUBSCRIPTION_PLAN_PRICE_NOT_USABLE": {
        "property": "items.0.priceId",
        "priceId": EXAMPLE_ID,
        "status": "ARCHIVED",
        "productStatus": "ACTIVE",
    },
    "SALES_DOCUMENT_TEMPLATE_MISMATCH": {"property": "documentTemplateId", "documentType": "quote-template"},
    "SALES_DOCUMENT_VAT_CODE_UNUSABLE": {"accountId": EXAMPLE_ID},
    "USAGE_IMPORT_QUOTA_EXCEEDED": {
        "waitingImports": 100,
        "maxImports": 100,
        "waitingBytes": 1_048_576,
        "maxBytes": 10_737_418_240,
    },
    "USAGE_BACKFILL_OVERLAPS": {"usageBackfillId": EXAMPLE_ID},
    "USAGE_BACKFILL_TOO_LARGE": {"limit": 200_000},
    "VENDOR_DEFAULT_ACCOUNT_INVALID": {"property": "defaultAccountId", "accountId": EXAMPLE_ID},
    "VENDOR_GROUP_ACCOUNT_INVALID": {"property": "accountId", "accountId": EXAMPLE_ID},
    "WEBHOOK_ENDPOINT_LIMIT_REACHED": {"limit": 100},
    "WEBHOOK_REPLAY_TOO_LARGE": {"limit": 100_000},
}
_FAMILIES: Final = ("_NOT_FOUND", "_ALREADY_EXISTS", "_IN_USE", "_INVALID_STATE")


def details_of(
    code: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any], max_body: int
) -> dict[str, Any]:
    """The `details` of an error as the operation at `path` would show them; empty for codes that have none."""
    if code == "PAYLOAD_TOO_LARGE":
        return {"maxBytes": max_body}
    fields = _fields_of(operation, schemas)
    if code in _OTHERS:
        return _placed(_special(code, path), path, fields)
    resource, family = next(((code.removesuffix(end), end) for end in _FAMILIES if code.endswith(end)), (code, ""))
    if family == "_NOT_FOUND":
        return _of_missing(resource, path, fields)
    if family == "_ALREADY_EXISTS":
        whole = resource.replace("_", "").lower()
        name = max(fields, key=lambda one: _common_end(one.lower(), whole))
        return {"property": name, "value": sample(fields.get(name, {"type": "string"}), schemas, name)}
    if family == "_INVALID_STATE":
        return {"status": _STATUSES[resource], **_beside_status(resource)}
    return {"usedBy": [_USED_BY[resource]]} if family == "_IN_USE" and resource in _USED_BY else {}


def _of_missing(resource: str, path: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing where the path names the object, else the reference's place and id."""
    own_name = f"{wire_name(resource.lower())}Id"
    if f"{{{_PATH_NAMES.get(resource, own_name)}}}" in path:
        return {}
    ends, id_name = _REFERENCES.get(resource, ((own_name,), own_name))
    found = next((one for end in ends for one in fields if one.endswith(end)), "")
    return {"property": _whole(found or _of_draft(ends[0])), id_name: EXAMPLE_ID}


def _beside_status(resource: str) -> dict[str, Any]:
    return {"journalEntryId": EXAMPLE_ID} if resource in {"DRAFT_JOURNAL_ENTRY", "JOURNAL_ENTRY"} else {}


def _special(code: str, path: str) -> dict[str, Any]:
    details = dict(_OTHERS[code])
    if code == "EXCHANGE_RATE_MISSING" and "journal" in path:
        details = {"property": "currency", "currency": "USD", "date": "2026-03-16"}
    if code == "EXCHANGE_RATE_MISSING" and "product" in path:
        details = {"currency": "DKK", "toCurrency": "USD", "date": "2026-03-16"}
    if code == "ACCOUNT_NOT_BOOKABLE" and path.endswith(("/payments", "/credit/refund")):
        del details["property"]
    return details


def _placed(details: dict[str, Any], path: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The details with their `property` where this operation has such a field."""
    wanted = details.get("property")
    if wanted is None or wanted in fields:
        return details
    last = wanted.rpartition(".")[2]
    ends = ("accountToBookId",) if last == "accountId" and "/vat-codes" in path else (wanted, last)
    found = next((one for end in ends for one in fields if one.endswith(end)), wanted)
    if path.endswith("/vat-codes/{vatCodeId}/rates"):
        found = "accountToBookId"
    return {**details, "property": _whole(found)}


def _whole(name: str) -> str:
    """The place of one of the ids, where the field is a list of them."""
    return f"{name}.0" if name.endswith("Ids") else name


def _of_draft(name: str) -> str:
    """Where a draft has the field, for an operation that takes none: it names the places of the draft."""
    return f"lines.0.{name}" if name in {"accountId", "vatCodeId"} else name


def _common_end(one: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(reversed(one), reversed(other), strict=False)))


def _fields_of(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The fields of an operation's body by their places: `accountId`, `lines.0.accountId`, `entries.0.lines.0...`."""
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    found: dict[str, Mapping[str, Any]] = {}

    def walk(schema: Mapping[str, Any], path: str) -> None:
        named = schemas.get(str(schema.get("$ref", "")).rpartition("/")[2], schema)
        for name, field in named.get("properties", {}).items():
            found[f"{path}{name}"] = field
            if "items" in field:
                walk(field["items"], f"{path}{name}.0.")

    walk(body, "")
    return found
