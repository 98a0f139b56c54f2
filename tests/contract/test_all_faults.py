"""Everything that is wrong with a body is told at once, in the wire's words."""

import json
import re
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from tests.conftest import SteeredClock, new_company
from tests.contract.operations import WRITES, Row
from tests.contract.test_bad_bytes import replaced
from tests.contract.test_operations import path_of
from tests.contract.test_requests import errors_of
from tests.contract.world import World, make_world

from ledgerbee.app.routes import ROUTERS
from ledgerbee.http.partial import has_checks
from ledgerbee.platform.db import Database

JSON_WRITES = [row for row in WRITES if not row.file]
#: What no field takes, and texts that can't be kept.
WRONG: dict[str, Any] = {"wrong": [{}]}
UNSTORABLE = ["a\x00b", "\ud800", "\x00"]
#: Words of the program behind the wire.
FOREIGN = re.compile(
    r"Decimal\(|<class|Traceback|NoneType|\bdict\b|pydantic|\bvalue_error\b|\bInput should\b"
    r"|\bNone\b|\bTrue\b|datetime\.|UUID\("
)


def places_of(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The places of the single values in a body."""
    if isinstance(value, dict):
        return [place for name, one in value.items() for place in places_of(one, (*path, name))]
    if isinstance(value, list) and value and isinstance(value[0], (dict, list)):
        return [place for index, one in enumerate(value) for place in places_of(one, (*path, index))]
    return [path]


@pytest.mark.parametrize("row", JSON_WRITES, ids=str)
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_so_many_faults_so_many_findings(row: Row, world: World, data: st.DataObject) -> None:
    body = row.sent(world)["json"]
    places = places_of(body)
    broken = data.draw(st.lists(st.sampled_from(places), unique=True)) if places else []
    unknown = data.draw(
        st.lists(st.from_regex(r"x[A-Z]{3}", fullmatch=True), min_size=0 if broken else 1, max_size=3, unique=True)
    )
    texts = set()
    for place in broken:
        bad = data.draw(st.sampled_from([WRONG, *UNSTORABLE]))
        body = replaced(body, place, bad)
        if bad in UNSTORABLE:
            texts.add(".".join(map(str, place)))
    body = {**body, **dict.fromkeys(unknown, 1)}
    names = {f"n{bad}" for bad in (data.draw(st.sets(st.sampled_from(UNSTORABLE))) if row.sent(world)["json"] else ())}
    told = {json.dumps(name)[1:-1] for name in names}
    answer = await world.api.request(
        row.method,
        path_of(row, world.ids),
        content=json.dumps({**body, **dict.fromkeys(names, 1)}),
        headers={"content-type": "application/json"},
    )
    found = errors_of(answer)
    assert set(found) == {".".join(map(str, place)) for place in broken} | set(unknown) | told
    assert {name for name, rules in found.items() if "isText" in rules} == texts | told
    for name, rules in found.items():
        for text in rules.values():
            assert text.startswith(f"{name} "), text
            assert not FOREIGN.search(text), text


@pytest_asyncio.fixture(scope="module")
async def own(http: httpx.AsyncClient, database: Database) -> World:
    """A company in which everything is as it was made: the tests that take it are refused."""
    return await make_world(await new_company(http, database, SteeredClock()))


def _line(world: World, **fields: Any) -> dict[str, Any]:
    return {"accountId": world.ids["bankAccountId"], "side": "DEBIT", "amount": "5.00", **fields}


def _entry(world: World, **fields: Any) -> dict[str, Any]:
    lines = [_line(world), _line(world, side="CREDIT", accountId=world.ids["salesAccountId"])]
    return {"entryType": "JOURNAL_ENTRY", "date": "2026-03-16", "originalAmount": "5.00", "lines": lines, **fields}


def _bad_entry(world: World) -> dict[str, Any]:
    """Faults of five rules, in the entry and in two of its lines."""
    tag = world.ids["valueId"]
    return _entry(
        world,
        deliveryDate="2000-01-01",
        exchangeRate="2",
        originalAmount="5.001",
        lines=[_line(world, amount="5.001"), _line(world, vatIncluded=True), _line(world, amount="0.009")],
        tagIds=[tag, tag],
    )


ENTRIES = ("/v2/journal-entries", "/v1/journal-entries", "/v2/draft-journal-entries", "/v1/draft-journal-entries")
BATCHES = (
    "/v2/journal-entries/batch", "/v1/journal-batches", "/v2/draft-journal-batches", "/v1/draft-journal-batches",
)  # fmt: skip
BAD_ENTRY = {
    "deliveryDate", "exchangeRate", "originalAmount", "lines.0.amount", "lines.1.vatIncluded", "lines.2.amount",
    "tagIds",
}  # fmt: skip


@pytest.mark.parametrize("path", ENTRIES)
async def test_all_faults_of_an_entry(own: World, path: str) -> None:
    assert set(errors_of(await own.api.post(path, _bad_entry(own)))) == BAD_ENTRY


@pytest.mark.parametrize("path", BATCHES)
async def test_all_faults_of_all_entries(own: World, path: str) -> None:
    entries = [_entry(own), _bad_entry(own), _entry(own, exchangeRate="3")]
    found = set(errors_of(await own.api.post(path, {"entries": entries})))
    assert found == {f"entries.1.{name}" for name in BAD_ENTRY} | {"entries.2.exchangeRate"}


async def test_a_refusal_of_another_kind_that_comes_first_is_told_alone(own: World) -> None:
    body = {**_bad_entry(own), "deliveryDate": None, "entryType": "CUSTOMER_INVOICE"}
    answer = await own.api.post("/v2/journal-entries", body)
    assert answer.json()["code"] == "JOURNAL_ENTRY_PARTY_MISMATCH"


#: Method, path, a body that breaks rules over its fields (or with what the company has), and where they are told.
BROKEN_RULES: list[tuple[str, str, dict[str, Any], set[str]]] = [
    ("PATCH", "/v1/company",
     {"vatNumber": "1", "iban": "x", "bic": "x", "bankRegistrationNumber": "1", "bankAccountNumber": "x",
      "fikCreditorNumber": "1", "timeZone": "Mars"},
     {"vatNumber", "iban", "bic", "bankRegistrationNumber", "bankAccountNumber", "fikCreditorNumber", "timeZone"}),
    ("POST", "/v1/companies",
     {"name": "x", "countryCode": "DK", "vatNumber": "1", "iban": "x", "bic": "x", "bankRegistrationNumber": "1",
      "bankAccountNumber": "x", "fikCreditorNumber": "1", "timeZone": "Mars"},
     {"vatNumber", "iban", "bic", "bankRegistrationNumber", "bankAccountNumber", "fikCreditorNumber", "timeZone"}),
    ("POST", "/v1/companies",
     {"name": "x", "countryCode": "DK", "fiscalYearStart": "2026-01-02", "fiscalYearEnd": "2026-12-30"},
     {"fiscalYearStart", "fiscalYearEnd"}),
    ("POST", "/v1/api-keys",
     {"name": "x", "scopes": ["a", "accounts-read", "b"], "ipWhitelist": ["x", "10.0.0.0/8", "y"],
      "expiresAt": "2020-01-01T00:00:00Z"},
     {"scopes.0", "scopes.2", "ipWhitelist.0", "ipWhitelist.2", "expiresAt"}),
    ("POST", "/v1/oauth-clients", {"name": "x", "scopes": ["a"], "ipWhitelist": ["x"]}, {"scopes.0", "ipWhitelist.0"}),
    ("PATCH", "/v1/oauth-clients/{oauthClientId}", {"scopes": ["a"], "ipWhitelist": ["x"]},
     {"scopes.0", "ipWhitelist.0"}),
    ("POST", "/v1/projects",
     {"name": "x", "startDate": "2026-02-01", "endDate": "2026-01-01", "budgetAmount": "1.001"},
     {"endDate", "budgetAmount"}),
    ("PUT", "/v1/projects/{projectId}",
     {"name": "x", "startDate": "2026-02-01", "endDate": "2026-01-01", "budgetAmount": "1.001", "currency": "EUR"},
     {"endDate", "budgetAmount"}),
    ("PUT", "/v1/projects",
     {"name": "x", "startDate": "2026-02-01", "endDate": "2026-01-01", "externalReference": "nowhere"}, {"endDate"}),
    ("POST", "/v1/deferred-revenue/recognize", {"month": "2026-02", "date": "2026-02-27"}, {"date"}),
    ("POST", "/v1/fiscal-years", {"startDate": "2027-01-02", "endDate": "2027-12-30"}, {"startDate", "endDate"}),
    ("POST", "/v1/subscription-plans",
     {"name": "x", "items": [{"priceId": "{price}"}, {"priceId": "{price}"}],
      "alternatives": [{"items": [{"priceId": "{price}"}, {"priceId": "{price}"}]}]},
     {"items.1.priceId", "alternatives.0.items.1.priceId"}),
    ("PATCH", "/v1/subscription-plans/{planId}",
     {"items": [{"priceId": "{price}"}, {"priceId": "{price}"}],
      "alternatives": [{"items": [{"priceId": "{price}"}, {"priceId": "{price}"}]}]},
     {"items.1.priceId", "alternatives.0.items.1.priceId"}),
    ("POST", "/v1/subscriptions",
     {"customerId": "{customer}", "planId": "{cash}", "startDate": "2000-01-01", "billingCycleAnchor": "2050-01-01",
      "endDate": "1999-12-31", "productOverrides": [{"priceId": "{price}"}, {"priceId": "{price}"}]},
     {"startDate", "billingCycleAnchor", "endDate", "productOverrides.1.priceId"}),
    ("POST", "/v1/subscriptions/cancel",
     {"id": "{cash}", "strategy": "end_of_cycle", "effectiveDate": "2026-03-15", "refundBehavior": "prorated"},
     {"effectiveDate", "refundBehavior"}),
    ("POST", "/v1/subscriptions/{subscriptionId}/scheduled-changes",
     {"type": "cancel", "prorationBehavior": "none", "restartPeriod": True, "effectiveDate": "2026-03-15",
      "payload": {"planId": "{cash}", "products": [{"priceId": "{price}"}, {"priceId": "{price}"}]}},
     {"effectiveDate", "prorationBehavior", "restartPeriod", "payload.planId", "payload.products",
      "payload.products.1.priceId"}),
    ("POST", "/v1/subscriptions/{subscriptionId}/preview",
     {"change": {"type": "edit_products", "effectiveDate": "2026-03-15",
                 "payload": {"planId": "{cash}", "products": [{"priceId": "{price}"}, {"priceId": "{price}"}]}}},
     {"change.effectiveDate", "change.payload.planId", "change.payload.products.1.priceId"}),
    ("POST", "/v1/subscriptions/{subscriptionId}/pause", {"effectiveDate": "2026-03-15"}, {"effectiveDate"}),
    ("POST", "/v1/subscriptions/{subscriptionId}/resume", {"effectiveDate": "2026-03-15"}, {"effectiveDate"}),
    ("PUT", "/v1/exchange-rates", {"currency": "DKK", "date": "2026-03-16", "rate": 1}, {"currency"}),
    ("PUT", "/v1/vat-codes/{vatCodeId}/rates",
     {"rates": [{"vatRate": 25, "validFrom": "2020-01-01"}, {"vatRate": 24, "validFrom": "2019-01-01"},
                {"vatRate": 23, "validFrom": "2018-01-01", "deductibleShare": "3/2"},
                {"vatRate": 23, "validFrom": "2027-01-01", "deductibleShare": "x"},
                {"vatRate": 23, "validFrom": "2028-01-01", "deductiblePercent": "1.23456"}]},
     {"rates.0.validFrom", "rates.1.validFrom", "rates.2.validFrom", "rates.2.deductibleShare",
      "rates.3.deductibleShare", "rates.4.deductiblePercent"}),
    ("POST", "/v1/vat-codes",
     {"vatCode": "Q", "name": "Q", "vatRate": 25, "type": "SALES", "principle": "Gross", "deductiblePercent": 50,
      "eInvoiceCategory": "Z", "contraAccountToBookId": "{cash}", "returnBoxes": ["x"]},
     {"accountToBookId", "principle", "deductiblePercent", "eInvoiceCategory", "returnBoxes"}),
    ("POST", "/v1/vat-codes",
     {"vatCode": "Q", "name": "Q", "vatRate": 25, "type": "SALES", "principle": "Gross", "deductibleShare": "3/2",
      "eInvoiceCategory": "E"},
     {"accountToBookId", "deductibleShare", "eInvoiceCategory", "exemptionReason"}),
    ("POST", "/v1/accounts",
     {"accountNumber": 99001, "name": "x", "ledgerType": "BALANCE_SHEET", "accountClassification": "REVENUE",
      "controlAccountType": "ACCOUNTS_PAYABLE", "vatCodeId": "{vat}", "sumFrom": 1},
     {"accountClassification", "controlAccountType", "vatCodeId", "sumFrom"}),
    ("POST", "/v1/invoices",
     {"customerId": "{customer}", "date": "2030-01-01", "dueDate": "2029-01-01", "deliveryDate": "2000-01-01",
      "lines": [{"priceId": "{price}"}]},
     {"date", "dueDate", "deliveryDate"}),
    ("POST", "/v1/invoices",
     {"customerId": "{customer}", "date": "2026-03-16", "lines": [{}, {"lineType": "text", "quantity": 1}, {}]},
     {"lines.0.priceId", "lines.1.quantity", "lines.1.description", "lines.2.priceId"}),
    ("POST", "/v1/credit-notes",
     {"customerId": "{customer}", "date": "2030-01-01",
      "lines": [{"invoiceLineId": "{price}"}, {"lineType": "text", "invoiceLineId": "{price}"}]},
     {"date", "lines.0.priceId", "lines.0.invoiceLineId", "lines.1.description", "lines.1.invoiceLineId"}),
    ("POST", "/v1/credit-notes",
     {"customerId": "{customer}", "invoiceNumber": "1", "date": "2030-01-01", "lines": [{"lineType": "separator"}]},
     {"date", "lines"}),
    ("PATCH", "/v1/invoices/{invoiceId}",
     {"date": "2030-01-01", "dueDate": "2029-01-01", "lines": [{"lineType": "text"}, {"lineType": "separator"}]},
     {"date", "dueDate", "lines", "lines.0.description"}),
    ("POST", "/v1/quotes",
     {"customerId": "{customer}", "date": "2030-01-01", "validUntil": "2029-01-01",
      "lines": [{}, {"lineType": "text", "quantity": 1}]},
     {"date", "validUntil", "lines.0.priceId", "lines.1.quantity", "lines.1.description"}),
    ("PATCH", "/v1/quotes/{quoteId}",
     {"date": "2030-01-01", "validUntil": "2029-01-01", "lines": [{"lineType": "text"}, {"lineType": "separator"}]},
     {"date", "validUntil", "lines", "lines.0.description"}),
    ("POST", "/v1/quotes/{quoteId}/convert",
     {"target": "invoice",
      "document": {"date": "2030-01-01", "dueDate": "2029-01-01", "lines": [{"lineType": "text"}]}},
     {"document.date", "document.dueDate", "document.lines", "document.lines.0.description"}),
    ("POST", "/v1/order-confirmations/{orderConfirmationId}/convert",
     {"target": "invoice", "document": {"date": "2030-01-01", "deliveryDate": "2000-01-01", "lines": [{}]}},
     {"document.date", "document.deliveryDate", "document.lines.0.priceId"}),
    ("POST", "/v1/order-confirmations",
     {"customerId": "{customer}", "date": "2030-01-01", "lines": [{}, {"lineType": "text", "quantity": 1}]},
     {"date", "lines.0.priceId", "lines.1.quantity", "lines.1.description"}),
    ("PATCH", "/v1/order-confirmations/{orderConfirmationId}",
     {"date": "2030-01-01", "lines": [{"lineType": "text"}, {"lineType": "separator"}]},
     {"date", "lines", "lines.0.description"}),
    ("POST", "/v1/customers",
     {"customerNumber": "9", "customerType": "company", "name": "x", "vatZone": "eu", "countryCode": "DE",
      "customerGroupId": "{group}", "vatNumber": "!", "billingRelationship": "parent_pays"},
     {"vatNumber", "parentCustomerId"}),
    ("PATCH", "/v1/customers/{customerId}",
     {"vatZone": "eu", "countryCode": "DE", "vatNumber": "!", "billingRelationship": "parent_pays",
      "parentCustomerId": None},
     {"vatNumber", "parentCustomerId"}),
    ("POST", "/v1/product-prices",
     {"productId": "{product}", "billingPeriodType": "RECURRING", "pricingModel": "GRADUATED", "unitAmount": 1,
      "meterId": "{product}", "currencyAmounts": [{"currency": "DKK", "unitAmount": 1}],
      "tiers": [{"unitAmount": -1, "upTo": 5, "packageSize": 2}, {"unitAmount": 1, "flatAmount": -1, "upTo": 4},
                {"unitAmount": 1, "upTo": 9}]},
     {"unitAmount", "meterId", "billingInterval", "currencyAmounts", "tiers.0.unitAmount", "tiers.0.packageSize",
      "tiers.1.flatAmount", "tiers.1.upTo", "tiers.2.upTo"}),
    ("PATCH", "/v1/product-prices/{productPriceId}",
     {"pricingModel": "PACKAGE", "unitAmount": 1, "tiers": [{"unitAmount": 1, "packageSize": -1}]},
     {"unitAmount", "tiers.0.packageSize"}),
    ("POST", "/v1/invoices/{sentInvoiceId}/payments", {"date": "2030-01-01", "amount": 1}, {"date"}),
    ("POST", "/v1/payments/{paymentId}/reverse", {"date": "2030-01-01"}, {"date"}),
    ("POST", "/v1/customers/{customerId}/credit/refund", {"date": "2030-01-01", "amount": 1}, {"date"}),
    ("POST", "/v1/invoices/{sentInvoiceId}/write-off", {"date": "2030-01-01"}, {"date"}),
    ("POST", "/v1/invoices/{sentInvoiceId}/write-off/reverse", {"date": "2030-01-01"}, {"date"}),
    ("POST", "/v1/incoming-documents/{incomingDocumentId}/answers", {"answer": "rejected"}, {"note"}),
    ("POST", "/v1/meters", {"name": "a/b", "uniqueKey": "userId"}, {"name", "uniqueKey"}),
    ("POST", "/v1/meters/report",
     {"value": 1, "customerId": "{customer}", "timestamp": "2030-01-01T00:00:00Z", "metadata": {"subscriptionId": "x"}},
     {"meterId", "timestamp", "metadata.subscriptionId"}),
    ("POST", "/v1/meters/report-batch",
     {"events": [{"value": 1, "customerId": "{customer}", "idempotencyKey": "k", "timestamp": "2030-01-01T00:00:00Z",
                  "metadata": {"subscriptionId": "x"}}]},
     {"events.0.meterId", "events.0.timestamp", "events.0.metadata.subscriptionId"}),
    ("POST", "/v1/usage/backfills", {"from": "2030-01-02", "to": "2030-01-01"}, {"meterId", "to"}),
    ("POST", "/v1/usage/backfills/{usageBackfillId}/events",
     {"events": [{"value": 1, "customerId": "{customer}", "idempotencyKey": "k", "timestamp": "2030-01-01T00:00:00Z",
                  "metadata": {"subscriptionId": "x"}}]},
     {"events.0.meterId", "events.0.timestamp", "events.0.metadata.subscriptionId"}),
    ("PATCH", "/v1/usage/events/{usageEventId}",
     {"timestamp": "2030-01-01T00:00:00Z", "metadata": {"subscriptionId": "x"}},
     {"timestamp", "metadata.subscriptionId"}),
    ("POST", "/v1/webhook-endpoints/{webhookEndpointId}/replay",
     {"eventIds": ["{cash}", "{cash}"], "from": "2001-01-01T00:00:00Z", "to": "2000-01-01T00:00:00Z", "failed": True},
     {"eventIds", "from", "to", "failed"}),
    ("POST", "/v1/invoices/send-batch", {"invoiceIds": ["{cash}", "{cash}"]}, {"invoiceIds"}),
    ("POST", "/v1/journal-entries/reverse-batch", {"journalEntryIds": ["{cash}", "{cash}"]}, {"journalEntryIds"}),
    ("PATCH", "/v2/draft-journal-entries/{draftJournalEntryId}",
     {"date": "2026-03-16", "deliveryDate": "2000-01-01", "currency": "DKK", "exchangeRate": "2",
      "originalAmount": "5.001", "tagIds": ["{cash}", "{cash}"],
      "lines": [{"accountId": "{cash}", "side": "DEBIT", "amount": "5.001", "vatIncluded": True},
                {"accountId": "{cash}", "side": "DEBIT", "amount": "5", "tagIds": ["{vat}", "{vat}"]}]},
     {"deliveryDate", "exchangeRate", "originalAmount", "tagIds", "lines.0.amount", "lines.0.vatIncluded",
      "lines.1.tagIds"}),
    ("POST", "/v1/payouts/import",
     {"provider": "sandbox", "movements": [
         {"id": "po_1", "type": "payout", "amount": "0", "fee": "0", "currency": "DKK", "date": "2026-03-16"},
         {"id": "ch_1", "type": "charge", "amount": "1.001", "fee": "0", "currency": "DKK", "date": "2026-03-16"}]},
     {"movements.0.amount", "movements.1.amount"}),
    ("POST", "/v1/payment-providers/sandbox/events", {"type": "dispute.lost", "paymentMethodId": "{cash}"},
     {"chargeId", "paymentMethodId"}),
]  # fmt: skip


def _filled(world: World, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _filled(world, one) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(world, one) for one in value]
    named = {"cash": "bankAccountId", "customer": "customerId", "group": "customerGroupId", "price": "productPriceId",
             "product": "productId", "vat": "vatCodeId"}  # fmt: skip
    return world.ids[named[value[1:-1]]] if isinstance(value, str) and value[1:-1] in named else value


@pytest.mark.parametrize(("method", "path", "body", "names"), BROKEN_RULES)
async def test_all_faults_that_rules_find(
    own: World, method: str, path: str, body: dict[str, Any], names: set[str]
) -> None:
    answer = await own.api.request(method, path.format(**own.ids), json=_filled(own, body))
    assert set(errors_of(answer)) == names


#: A field that no rule of the operation reads, by the end of its path.
UNRELATED = {
    "accounts": "name", "api-keys": "name", "companies": "city", "company": "phone", "credit-notes": "ourReference",
    "customers": "phone",
    "exchange-rates": "rate", "fiscal-years": None, "invoices": "ourReference", "oauth-clients": "name",
    "order-confirmations": "ourReference", "quotes": "ourReference", "convert": None,
    "events": "value", "meters": "description", "report": "value", "report-batch": None,
    "payments": "reference", "product-prices": "nickname", "projects": "color", "rates": None, "refund": "reference",
    "reverse": "description",
    "reverse-batch": "date", "send-batch": "deliveryType", "vat-codes": "vatCode", "draft-journal-entries": "reference",
    "subscriptions": "name", "cancel": None, "scheduled-changes": None, "pause": None, "preview": None, "resume": None,
    "answers": None, "import": None, "backfills": "customerId", "recognize": None,
    "replay": None, "subscription-plans": "displayOrder", "write-off": "description",
}  # fmt: skip


def _unrelated(path: str) -> str | None:
    return UNRELATED[re.sub(r"/\{\w+\}$", "", path).rpartition("/")[2]]


@pytest.mark.parametrize("bad", [{"wrong": [{}]}, "a\x00b"], ids=["type", "text"])
@pytest.mark.parametrize(("method", "path", "body", "names"), BROKEN_RULES)
async def test_rules_are_told_beside_other_faults(
    own: World, method: str, path: str, body: dict[str, Any], names: set[str], bad: Any
) -> None:
    """Whether the other fault is in a field that there is, or in one that there isn't."""
    field = _unrelated(path)
    faults = {"noSuchField": bad} if field is None else {"noSuchField": bad, field: bad}
    answer = await own.api.request(method, path.format(**own.ids), json={**_filled(own, body), **faults})
    assert set(errors_of(answer)) == names | set(faults)
    whole = {} if names == {"date"} else errors_of(
        await own.api.request(method, path.format(**own.ids), json=_filled(own, body))
    )  # fmt: skip
    assert {name: rules for name, rules in errors_of(answer).items() if name in whole} == whole


@pytest.mark.parametrize("path", ENTRIES)
async def test_rules_of_an_entry_are_told_beside_other_faults(own: World, path: str) -> None:
    entry = {**_bad_entry(own), "noSuchField": 1, "reference": 5}
    entry["lines"] = [*entry["lines"], _line(own, description=[]), _line(own, accountId="x", vatIncluded=True)]
    found = set(errors_of(await own.api.post(path, entry)))
    beside = {"noSuchField", "reference", "lines.3.description", "lines.4.accountId", "lines.4.vatIncluded"}
    assert found == BAD_ENTRY | beside


@pytest.mark.parametrize("path", ENTRIES)
async def test_names_of_files_are_told_beside_other_faults(own: World, path: str) -> None:
    files = [{"fileName": name, "contentType": "text/csv", "content": "QQ=="} for name in ("a/b", "a.csv", "..")]
    found = set(errors_of(await own.api.post(path, {**_bad_entry(own), "attachments": files})))
    assert found == BAD_ENTRY | {"attachments.0.fileName", "attachments.2.fileName"}


@pytest.mark.parametrize("size", [1, 600], ids=["at once", "in steps"])
@pytest.mark.parametrize("path", BATCHES)
async def test_rules_of_all_entries_are_told_beside_other_faults(own: World, path: str, size: int) -> None:
    lines = [_line(own) for _ in range(size)]
    entries = [_entry(own, lines=lines), _bad_entry(own), {**_entry(own, exchangeRate="3"), "reference": {}}]
    found = set(errors_of(await own.api.post(path, {"entries": entries, "noSuchField": "x"})))
    bad = {f"entries.1.{name}" for name in BAD_ENTRY}
    assert found == bad | {"entries.2.exchangeRate", "entries.2.reference", "noSuchField"}


async def test_a_rule_whose_own_fields_are_wrong_is_not_told(own: World) -> None:
    body = {"name": "x", "startDate": "x", "endDate": "2026-01-01", "budgetAmount": "1.001", "currency": "nok"}
    assert set(errors_of(await own.api.post("/v1/projects", body))) == {"startDate", "currency"}


def test_every_body_with_rules_is_asked_for() -> None:
    """A model that has rules of its own, or one in it, stands in a table above."""
    asked = {path for _, path, _, _ in BROKEN_RULES} | set(ENTRIES) | set(BATCHES)
    asked = {re.sub(r"\{\w+\}", "{}", path) for path in asked}
    for route in (route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)):
        for parameter in route.dependant.body_params:
            model = parameter.field_info.annotation
            if isinstance(model, type) and issubclass(model, BaseModel) and has_checks(model):
                assert re.sub(r"\{\w+\}", "{}", route.path).removeprefix("/api") in asked, route.path


@pytest.mark.parametrize("row", JSON_WRITES, ids=str)
async def test_an_unknown_field_is_unknown_also_as_null(row: Row, world: World) -> None:
    """In the body and in each object inside it: it should not exist, so nothing asks for a value."""
    body = row.sent(world)["json"]
    for place in objects_of(body):
        if place and place[-1] in FREE:
            continue
        wrong = replaced(body, place, {**_at(body, place), "xUnknown": None}) if place else {**body, "xUnknown": None}
        answer = await world.api.request(row.method, path_of(row, world.ids), json=wrong)
        assert answer.status_code == 400, (place, answer.text)
        name = ".".join(map(str, (*place, "xUnknown")))
        found = {one["property"]: one["constraints"] for one in answer.json()["details"]["validationErrors"]}
        assert found == {name: {"whitelistValidation": f"{name} should not exist"}}, (place, found)


#: Objects whose fields are the caller's own.
FREE = {"metadata"}


def objects_of(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The places of the objects in a body, the body itself first."""
    if isinstance(value, list):
        return [place for index, one in enumerate(value) for place in objects_of(one, (*path, index))]
    if isinstance(value, dict):
        return [path, *(place for name, one in value.items() for place in objects_of(one, (*path, name)))]
    return []


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    return _at(value[path[0]], path[1:]) if path else value
