"""One company with one object of every kind, made through the API."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.attached import PDF
from tests.authorizing import new_connection
from tests.conftest import Api
from tests.people import new_person
from tests.refunding import carried_out, disputed
from tests.ubl_files import peppol


@dataclass(frozen=True)
class World:
    """Ids by the name they have in paths, and in the examples of the document."""

    api: Api
    ids: dict[str, str]


#: Makes a company with one object of every kind.
NewWorld = Callable[[], Awaitable[World]]


async def make_world(api: Api) -> World:  # noqa: PLR0915  an object of each kind
    """Give the company of `api` a product, a price, a customer, a vendor, a draft and a paid invoice, and so on."""

    async def made(path: str, **fields: Any) -> dict[str, Any]:
        answer = await api.post(path, fields)
        assert answer.status_code in {200, 201, 202}, (path, answer.text)
        return dict(answer.json())

    async def listed(path: str) -> list[dict[str, Any]]:
        found = (await api.get(path)).json()
        return list(found["data"] if isinstance(found, dict) else found)

    accounts = {account["accountNumber"]: account["id"] for account in await listed("/v1/accounts")}
    control = {account["controlAccountType"]: account["id"] for account in await listed("/v1/accounts")}
    sales, cash = accounts[1010], accounts[6480]
    customer_group = (await listed("/v1/customer-groups"))[0]["id"]
    vendor_group = (await listed("/v1/vendor-groups"))[0]["id"]
    group = await made(
        "/v1/product-groups", number="PG1", name="Goods", domesticAccountId=sales, euAccountId=sales,
        abroadAccountId=sales, domesticWithoutVatAccountId=sales,
    )  # fmt: skip
    product = await made("/v1/products", number="P-1", name="Chair", productGroupId=group["id"])
    price = await made(
        "/v1/product-prices", productId=product["id"], billingPeriodType="ONE_TIME", pricingModel="FLAT_RATE",
        unitAmount="100",
    )  # fmt: skip
    customer = await made(
        "/v1/customers", customerNumber="C-1", customerType="company", name="Havn A/S", vatZone="domestic",
        countryCode="DK", customerGroupId=customer_group,
    )  # fmt: skip
    contact = await made(f"/v1/customers/{customer['id']}/contacts", name="Åse")
    department = await made(f"/v1/customers/{customer['id']}/departments", name="Kontor")
    vendor = await made(
        "/v1/vendors", vendorNumber="V-1", name="Tømmer ApS", vendorGroupId=vendor_group, currency="DKK",
        countryCode="DK", contacts=[{"name": "Ib"}],
    )  # fmt: skip
    vendor_contact = (await listed(f"/v1/vendors/{vendor['id']}/contacts"))[0]
    vendor_department = await made(f"/v1/vendors/{vendor['id']}/departments", name="Lager")
    lines = [{"priceId": price["id"], "quantity": 1}]
    invoice = await made("/v1/invoices", customerId=customer["id"], date="2026-03-16", lines=lines)
    sent = await made("/v1/invoices", customerId=customer["id"], date="2026-03-16", lines=lines)
    await made(f"/v1/invoices/{sent['id']}/send", deliveryType="Manual")
    quote = await made("/v1/quotes", customerId=customer["id"], date="2026-03-16", lines=lines)
    order_confirmation = await made(
        "/v1/order-confirmations", customerId=customer["id"], date="2026-03-16", lines=lines
    )
    await api.put("/v1/payment-providers/sandbox", {"isEnabled": True})
    card = await made("/v1/payment-providers/sandbox/cards", customerId=customer["id"], number="4242424242424242")
    payment = await made(f"/v1/invoices/{sent['id']}/payments", date="2026-03-16", amount="25.00")
    paid = await made("/v1/invoices", customerId=customer["id"], date="2026-03-16", lines=lines)
    await made(f"/v1/invoices/{paid['id']}/send", deliveryType="Manual")
    charge = await made(f"/v1/invoices/{paid['id']}/charges", paymentMethodId=card["id"])
    await carried_out(api, charge["id"])
    refund = await made(f"/v1/charges/{charge['id']}/refunds", amount="5.00")
    await disputed(api, charge["id"])
    dispute = (await listed("/v1/disputes"))[0]
    moved = {"id": "w1", "type": "payout", "amount": "-5", "currency": "DKK", "date": "2026-03-16"}
    payouts = await made("/v1/payouts/import", provider="sandbox", movements=[moved])
    note = await made("/v1/credit-notes", customerId=customer["id"], invoiceNumber="1", lines=lines)
    posting = {
        "entryType": "JOURNAL_ENTRY",
        "date": "2026-03-16",
        "originalAmount": "5.00",
        "lines": [
            {"accountId": cash, "side": "DEBIT", "amount": "5.00"},
            {"accountId": sales, "side": "CREDIT", "amount": "5.00"},
        ],
    }
    file = {"fileName": "faktura.pdf", "contentType": "application/pdf", "content": b64encode(PDF).decode()}
    entry = await made("/v2/journal-entries", **posting, attachments=[file])
    draft = await made("/v2/draft-journal-entries", **posting)
    attachment = (await listed(f"/v1/journal-entries/{entry['id']}/attachments"))[0]
    entry_import = await api.request(
        "POST", "/v2/journal-entries/import", content="", headers={"content-type": "application/x-ndjson"}
    )
    offer = await made("/v1/quotes", customerId=customer["id"], date="2026-03-16", lines=lines)
    await made(f"/v1/quotes/{offer['id']}/send", deliveryType="Email", recipientEmail="aase@example.com")
    mailed = next(one for one in await listed("/v1/deliveries") if one["documentId"] == offer["id"])
    received = await api.request(
        "POST", "/v1/incoming-documents", content=peppol(number="W-1"), headers={"content-type": "application/xml"}
    )
    answered = await made(f"/v1/incoming-documents/{received.json()['id']}/answers", answer="inProcess")
    meter = await made("/v1/meters", name="Storage")
    used = await api.post("/v1/meters/report", {"meterId": meter["id"], "customerId": customer["id"], "value": 12.5})
    usage_import = await api.request("POST", "/v1/usage/imports", content="", headers={"content-type": "text/csv"})
    backfill = await made("/v1/usage/backfills", meterId=meter["id"], **{"from": "2026-03-15", "to": "2026-03-16"})
    key = await made("/v1/api-keys", name="spare", scopes=["accounts-read"])
    client = await made("/v1/oauth-clients", name="spare", scopes=["accounts-read"])
    member = await new_person(api, "accountant")
    invitation = await made("/v1/users/invitations", email="ib@example.com", role="sales")
    dimension = await made("/v1/dimensions", name="Afdeling", isUnique=True)
    value = await made(f"/v1/dimensions/{dimension['id']}/values", name="Nord")
    project = await made("/v1/projects", name="Havnen", externalReference="pm-1")
    subproject = await made(f"/v1/projects/{project['id']}/subprojects", name="Kajen")
    event = (await listed("/v1/audit-events"))[0]
    told = (await listed("/v1/events"))[0]
    ids = {
        # Names that the document's examples have for accounts and the like.
        "bankAccountId": cash,
        "equityAccountId": accounts[6510],
        "inputVatCodeId": next(code["id"] for code in await listed("/v1/vat-codes") if code["vatCode"] == "K010"),
        "payablesAccountId": control["ACCOUNTS_PAYABLE"],
        "receivablesAccountId": control["ACCOUNTS_RECEIVABLE"],
        "salesAccountId": sales,
        "sentInvoiceId": sent["id"],
        "suppliesAccountId": accounts[2450],
        "vatAccountId": accounts[7680],
        # Names that paths have.
        "provider": "sandbox",
        "auditEventId": event["id"],
        "accountId": sales,
        "answerId": answered["id"],
        "apiKeyId": key["id"],
        "attachmentId": attachment["id"],
        "connectionId": await new_connection(api),
        "contactId": contact["id"],
        "creditNoteId": note["id"],
        "customerGroupId": customer_group,
        "customerId": customer["id"],
        "deliveryId": mailed["id"],
        "departmentId": department["id"],
        "dimensionId": dimension["id"],
        "disputeId": dispute["id"],
        "refundId": refund["id"],
        "documentTemplateId": (await listed("/v1/document-templates"))[0]["id"],
        "importId": entry_import.json()["id"],
        "incomingDocumentId": received.json()["id"],
        "draftJournalEntryId": draft["id"],
        "eventId": told["id"],
        "invitationId": invitation["id"],
        "invoiceId": invoice["id"],
        "journalEntryId": entry["id"],
        "meterId": meter["id"],
        "meterName": meter["name"],
        "oauthClientId": client["clientId"],
        "orderConfirmationId": order_confirmation["id"],
        "paymentId": payment["id"],
        "paymentMethodId": card["id"],
        "chargeId": charge["id"],
        "payoutId": payouts["payouts"][0]["id"],
        "productGroupId": group["id"],
        "productId": product["id"],
        "productPriceId": price["id"],
        "projectId": project["id"],
        "quoteId": quote["id"],
        "subprojectId": subproject["id"],
        "usageBackfillId": backfill["id"],
        "usageImportId": usage_import.json()["id"],
        "usageEventId": used.json()["requestId"],
        "memberEmail": member.email,
        "userId": str(member.id),
        "valueId": value["id"],
        "vatCodeId": (await listed("/v1/vat-codes"))[0]["id"],
        "vendorGroupId": vendor_group,
        "vendorId": vendor["id"],
        **await _subscription(api, group["id"], customer["id"]),
        **await _webhook(api),
        # Names that two resources share are told apart by the tag of the row.
        "Vendors.contactId": vendor_contact["id"],
        "Vendors.departmentId": vendor_department["id"],
    }
    return World(api, ids)


async def _plan(api: Api, group_id: str) -> dict[str, str]:
    """A plan, and prices that it and others may be made of."""
    product = (await api.post("/v1/products", {"number": "P-2", "name": "Basis", "productGroupId": group_id})).json()
    ids = {}
    for interval, amount in (("month", "100"), ("year", "1000")):
        price = {
            "productId": product["id"], "billingPeriodType": "RECURRING", "billingInterval": interval,
            "pricingModel": "FLAT_RATE", "unitAmount": amount,
        }  # fmt: skip
        ids[f"{interval}lyPriceId"] = (await api.post("/v1/product-prices", price)).json()["id"]
    alternatives = [{"items": [{"priceId": ids["yearlyPriceId"]}]}]
    body = {"name": "Basis", "items": [{"priceId": ids["monthlyPriceId"]}], "alternatives": alternatives}
    plan = await api.post("/v1/subscription-plans", body)
    assert plan.status_code == 201, plan.text
    return {"planId": plan.json()["id"], **ids}


async def _subscription(api: Api, group_id: str, customer_id: str) -> dict[str, str]:
    """A subscription of a plan, and a change that waits."""
    ids = await _plan(api, group_id)
    body = {"customerId": customer_id, "planId": ids["planId"], "startDate": "2026-03-16"}
    made = await api.post("/v1/subscriptions", body)
    assert made.status_code == 201, made.text
    path = f"/v1/subscriptions/{made.json()['id']}/scheduled-changes"
    direction = {"type": "change_direction", "payload": {"billingDirection": "arrears"}}
    change = await api.post(path, direction)
    assert change.status_code == 201, change.text
    other = (await api.post("/v1/subscriptions", body)).json()["id"]
    run = await api.post("/v1/billing-runs", {"dryRun": True})
    return ids | {
        "billingRunId": run.json()["id"],
        "cancelledSubscriptionId": other,
        "changeId": change.json()["id"],
        "planPriceId": ids["monthlyPriceId"],
        "subscriptionId": made.json()["id"],
    }


async def _webhook(api: Api) -> dict[str, str]:
    """An endpoint, and an event that waits to be sent to it."""
    hook = {"url": "http://127.0.0.1:9/hook", "enabledEvents": ["invoice.sent"]}
    endpoint = (await api.post("/v1/webhook-endpoints", hook)).json()["id"]
    event = (await api.get("/v1/audit-events?type=customer.created")).json()["data"][0]["id"]
    replayed = await api.post(f"/v1/webhook-endpoints/{endpoint}/replay", {"eventIds": [event]})
    assert replayed.json() == {"count": 1}, replayed.text
    delivery = (await api.get(f"/v1/webhook-endpoints/{endpoint}/deliveries")).json()["data"][0]["id"]
    other = (await api.get("/v1/audit-events?type=vendor.created")).json()["data"][0]["id"]
    return {"eventId": other, "webhookDeliveryId": delivery, "webhookEndpointId": endpoint}
