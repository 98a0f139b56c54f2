"""What the `data` of each event is: the document's webhooks, and the reference of events.

Of an object it is the answer that the API gives of it, as `data` of the table says; `docs/reference/events.md` says
when each topic is told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ledgerbee.app.openapi.samples import sample
from ledgerbee.http.wire import EXAMPLE_ID, EXAMPLE_MOMENT

_ID: Final = {"type": "string", "examples": [EXAMPLE_ID]}
_TEXT: Final = {"type": "string"}
_DAY: Final = {"type": "string", "format": "date", "examples": ["2026-03-16"]}


def _or_null(schema: Mapping[str, Any], description: str) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}], "description": description}


def _reference(name: str, description: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", "description": description}


def _object(description: str, **properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "description": description, "properties": properties, "required": list(properties)}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventData:
    """The `data` of some topics: a component of the document, called `name`.

    It is the component `answer`, where there is one, without the fields `without`, and with `more`: fields that are
    always there, and `either`, of which one is. Its own `text` says of it what isn't said by that.
    """

    name: str
    topics: tuple[str, ...]
    answer: str = ""
    without: frozenset[str] = frozenset()
    more: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    either: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    text: str

    def schema(self, schemas: Mapping[str, Any]) -> dict[str, Any]:
        """The component, given those of the answers."""
        base = schemas[self.answer] if self.answer else {"properties": {}, "required": []}
        kept = {name: value for name, value in base["properties"].items() if name not in self.without}
        required = ["sequence", *(name for name in base.get("required", ()) if name in kept), *self.more]
        properties = {"sequence": _SEQUENCE, **kept, **self.either, **self.more}
        return {"type": "object", "description": self.text, "properties": properties, "required": required}


_SEQUENCE: Final = {
    "type": "number",
    "multipleOf": 1,
    "minimum": 1,
    "description": "Counts the events of the object, from 1",
    "examples": [2],
}
_OWNERS: Final = {
    "customerId": {**_ID, "description": "The customer that it belongs to"},
    "vendorId": {**_ID, "description": "The vendor that it belongs to, where that is no customer"},
}
#: Events tell of a delivery by themselves, and what follows from the day isn't part of what happened.
_PASSING: Final = frozenset({"deliveryStatus", "displayStatus"})
#: Whoever has the address can answer in the buyer's name.
_OF_QUOTES: Final = _PASSING | {"acceptanceUrl"}
_FAILED: Final = _object(
    "The delivery that failed for good",
    id={**_ID, "description": "The delivery"},
    deliveryType={**_TEXT, "description": "How it was to be delivered", "examples": ["Email"]},
    message=_or_null({**_TEXT, "examples": ["550 no such user"]}, "Why the first of the recipients was not reached"),
    recipients={
        "type": "array",
        "description": "Those that were not reached",
        "items": _object(
            "A recipient",
            address=_or_null({**_TEXT, "examples": ["faktura@example.com"]}, "Whom it was sent to"),
            reason=_or_null({**_TEXT, "examples": ["550 no such user"]}, "Why it was not reached"),
        ),
    },
)
_NETWORK: Final = {
    "id": {**_ID, "description": "The delivery"},
    "status": {**_TEXT, "description": "How it ended", "examples": ["delivered"]},
    "documentType": {**_TEXT, "description": "Kind of the document", "examples": ["invoice"]},
    "documentId": {**_ID, "description": "The document"},
    "number": _or_null({**_TEXT, "examples": ["1042"]}, "Number of the document"),
    "messageId": _or_null(_ID, "Id of the message that was made; null where none was made"),
    "format": _or_null({**_TEXT, "examples": ["peppol"]}, "Format of the message"),
    "sender": _or_null({**_TEXT, "examples": ["0184:13585628"]}, "Who it was sent as"),
    "receiver": _or_null({**_TEXT, "examples": ["0088:5798009811578"]}, "Whom it was sent to"),
    "sha256": _or_null({**_TEXT, "examples": ["9f86d081884c7d659a2feaa0c55ad015"]}, "SHA-256 of the message's bytes"),
    "message": _or_null(_TEXT, "What was answered, or why it failed"),
}
_COUNT: Final = {"type": "number", "multipleOf": 1, "minimum": 0}


def _document(name: str, answer: str, kind: str, *topics: str, without: frozenset[str] = _PASSING) -> EventData:
    left_out = ", ".join(f"`{one}`" for one in sorted(without & ({"acceptanceUrl"} | _PASSING)))
    return EventData(
        name=name, topics=topics, answer=answer, without=without, text=f"The {kind} as it was then, without {left_out}"
    )


def _undelivered(name: str, answer: str, kind: str, topic: str, without: frozenset[str] = _PASSING) -> EventData:
    return EventData(
        name=name, topics=(topic,), answer=answer, without=without, more={"delivery": _FAILED},
        text=f"The {kind} as it was then, and in `delivery` what failed",
    )  # fmt: skip


def _plain(name: str, answer: str, thing: str, *topics: str) -> EventData:
    return EventData(name=name, topics=topics, answer=answer, text=f"The {thing} as it was then")


def _subscription(
    name: str,
    *topics: str,
    more: Mapping[str, Mapping[str, Any]] | None = None,
    either: Mapping[str, Mapping[str, Any]] | None = None,
) -> EventData:
    chain = {"subscriptionId": {**_ID, "description": "The subscription: refer to it by this, or by your reference"}}
    return EventData(
        name=name, topics=tuple(f"subscription.{topic}" for topic in topics), answer="SubscriptionResponse",
        without=frozenset({"customerName"}), more={**chain, **(more or {})}, either=either or {},
        text="The subscription as it was then, without its customer's name; `versionId` is the version that is told of",
    )  # fmt: skip


#: In the order of the names of what they tell of.
DATA: Final[tuple[EventData, ...]] = (
    EventData(
        name="ContactEventData", topics=("contact.created", "contact.updated"), answer="ContactResponse",
        either=_OWNERS, text="The contact as it was then, and in `customerId` or `vendorId` whose it is",
    ),
    _document(
        "CreditNoteEventData", "PublicCreditNote", "credit note", "billing.credit_note_sent", "credit_note.cancelled",
        "credit_note.created", "credit_note.sent", "credit_note.sent_again", without=frozenset({"deliveryStatus"}),
    ),
    _undelivered(
        "CreditNoteDeliveryFailedEventData", "PublicCreditNote", "credit note", "credit_note.delivery_failed",
    ),
    _plain("BillingRunEventData", "BillingRunResponse", "billing run", "billing.run_completed", "billing.run_started"),
    _plain("CustomerEventData", "CustomerResponse", "customer", "customer.created", "customer.updated"),
    EventData(
        name="CreditRefundedEventData", topics=("customer.credit_refunded",), answer="CreditUseResponse",
        text="The use of credit, with what it was taken from: the event's object is the customer",
    ),
    _plain("CustomerGroupEventData", "CustomerGroupResponse", "customer group", "customer_group.created"),
    EventData(
        name="BounceReportedEventData", topics=("delivery.bounce_reported",), answer="RecordBounceResponse",
        text="What was read in the report: the event's object is the delivery",
    ),
    EventData(
        name="DepartmentEventData", topics=("department.created", "department.updated"), answer="DepartmentResponse",
        either=_OWNERS, text="The department as it was then, and in `customerId` or `vendorId` whose it is",
    ),
    _plain(
        "DraftJournalEntryEventData", "DraftJournalEntryResponse", "draft journal entry", "draft_journal_entry.booked",
        "draft_journal_entry.created", "draft_journal_entry.deleted", "draft_journal_entry.updated",
    ),
    EventData(
        name="EInvoiceAnsweredEventData", topics=("e_invoice.answered",), answer="ReceivedEInvoiceAnswerResponse",
        text="The answer, and which document it is to",
    ),
    EventData(
        name="EInvoiceDeliveryEventData", topics=("e_invoice.delivered", "e_invoice.failed"), more=_NETWORK,
        text="The delivery over the network, and which document it is of",
    ),
    _plain(
        "IncomingDocumentEventData", "IncomingDocumentResponse", "incoming document",
        "incoming_document.answer_failed", "incoming_document.answer_sent", "incoming_document.answered",
        "incoming_document.drafted", "incoming_document.received",
    ),
    _plain(
        "IncomingMessageEventData", "IncomingMessageResponse", "message", "incoming_message.received",
        "incoming_message.status_failed", "incoming_message.status_sent",
    ),
    _document(
        "InvoiceEventData", "PublicInvoice", "invoice", "billing.invoice_sent", "invoice.cancelled",
        "invoice.created", "invoice.credited", "invoice.deleted", "invoice.paid", "invoice.partially_paid",
        "invoice.credit_refunded", "invoice.reopened", "invoice.sent", "invoice.sent_again", "invoice.updated",
        without=frozenset({"deliveryStatus"}),
    ),
    EventData(
        name="InvoiceCreditAppliedEventData", topics=("invoice.credit_applied",), answer="PublicInvoice",
        without=_PASSING,
        more={"creditUse": _reference("CreditUseResponse", "The credit that was used, and what it was taken from")},
        text="The invoice as it was then, and in `creditUse` the credit that was used",
    ),
    _undelivered("InvoiceDeliveryFailedEventData", "PublicInvoice", "invoice", "invoice.delivery_failed"),
    EventData(
        name="InvoiceWriteOffEventData", topics=("invoice.write_off_reversed", "invoice.written_off"),
        answer="PublicInvoice", without=_PASSING,
        more={"writeOff": _reference("WriteOffResponse", "The write-off")},
        text="The invoice as it was then, and in `writeOff` the write-off",
    ),
    _plain(
        "JournalEntryEventData", "JournalEntryResponse", "journal entry", "journal_entry.posted",
        "journal_entry.reversed", "journal_entry.updated",
    ),
    _plain(
        "JournalImportEventData", "JournalImportResponse", "import", "journal_import.cancelled",
        "journal_import.created", "journal_import.failed",
    ),
    EventData(
        name="JournalImportCompletedEventData", topics=("journal_import.completed",),
        more={
            "importId": {**_ID, "description": "The import"},
            "entriesPosted": {**_COUNT, "description": "How many entries it posted", "examples": [1200]},
            "errorCount": {**_COUNT, "description": "How many rows were refused", "examples": [0]},
        },
        text="What came of the import",
    ),
    EventData(
        name="JournalImportPostedEventData", topics=("journal_import.posted",),
        more={
            "importId": {**_ID, "description": "The import"},
            "entries": {**_COUNT, "description": "How many entries were posted", "examples": [500]},
            "entryIds": {"type": "array", "items": _ID, "description": "The entries, in the order of the file"},
            "firstPosition": {**_COUNT, "description": "The chain position of the first of them", "examples": [41]},
            "lastPosition": {**_COUNT, "description": "The chain position of the last of them", "examples": [540]},
        },
        text="Entries of an import that were posted together",
    ),
    _plain("MeterEventData", "MeterResponse", "meter", "meter.archived", "meter.created"),
    _document(
        "OrderConfirmationEventData", "PublicOrderConfirmation", "order confirmation", "order_confirmation.converted",
        "order_confirmation.created", "order_confirmation.sent", "order_confirmation.sent_again",
        "order_confirmation.updated",
    ),
    _undelivered(
        "OrderConfirmationDeliveryFailedEventData", "PublicOrderConfirmation", "order confirmation",
        "order_confirmation.delivery_failed",
    ),
    _plain(
        "ChargeEventData", "ChargeResponse", "charge of a card", "payment.failed", "payment.requires_action",
        "payment.succeeded",
    ),
    EventData(
        name="ChargeDisputedEventData", topics=("payment.disputed",), answer="ChargeResponse",
        more={"dispute": _reference("DisputeResponse", "The dispute")},
        text="The charge as it was then, and in `dispute` how its dispute stands",
    ),
    _plain("PaymentEventData", "PaymentResponse", "payment", "payment.recorded", "payment.reversed"),
    _plain("PaymentRefundedEventData", "ChargeRefundResponse", "refund", "payment.refunded"),
    _plain("PayoutEventData", "PayoutResponse", "payout", "payout.paid"),
    _plain(
        "ProductEventData", "ProductResponse", "product", "product.created", "product.deleted", "product.updated",
    ),
    EventData(
        name="PingEventData", topics=("ping",), answer="WebhookEndpointResponse",
        without=frozenset({"pendingCount", "failedCount", "skippedCount"}),
        text="The endpoint that is tested, without counts: a test goes to it alone",
    ),
    _plain(
        "ProductGroupEventData", "ProductGroupResponse", "product group", "product_group.created",
        "product_group.deleted", "product_group.updated",
    ),
    _plain(
        "ProductPriceEventData", "ProductPriceResponse", "price", "product_price.created", "product_price.deleted",
        "product_price.updated",
    ),
    _plain("ProjectEventData", "ProjectResponse", "project", "project.created", "project.updated"),
    _document(
        "QuoteEventData", "PublicQuote", "quote", "quote.accepted", "quote.converted", "quote.created",
        "quote.rejected", "quote.sent", "quote.sent_again", "quote.updated", without=_OF_QUOTES,
    ),
    _undelivered("QuoteDeliveryFailedEventData", "PublicQuote", "quote", "quote.delivery_failed", _OF_QUOTES),
    EventData(
        name="QuoteLinkRevokedEventData", topics=("quote.link_revoked",), answer="PublicQuote", without=_OF_QUOTES,
        more={"acceptanceLinkId": _or_null(_ID, "The link of the buyer's page by now: none, and so null")},
        text="The quote as it was then, and in `acceptanceLinkId` that it has no link any more",
    ),
    _subscription("SubscriptionEventData", "assigned", "churned", "started", "trial_ended"),
    _subscription("SubscriptionBilledEventData", "billed", more={"invoiceId": {**_ID, "description": "The invoice"}}),
    _subscription(
        "SubscriptionCancellationEventData", "cancellation_cleared", "cancellation_scheduled",
        more={
            "changeId": {**_ID, "description": "The cancellation, a scheduled change"},
            "effectiveDate": {
                "type": "string", "format": "date", "description": "First day that it doesn't cover",
                "examples": ["2026-01-31"],
            },
        },
    ),
    _subscription(
        "SubscriptionChangedEventData", "paused", "resumed", "transitioned", "updated",
        either={"changeId": {**_ID, "description": "The change that was carried out"}},
    ),
    _subscription(
        "SubscriptionPaymentEventData", "payment_succeeded",
        more={
            "invoiceId": {**_ID, "description": "The invoice that was charged"},
            "chargeId": {**_ID, "description": "The charge of the saved card"},
        },
    ),
    _subscription(
        "SubscriptionErrorEventData", "error",
        more={
            "errorType": {
                **_TEXT, "description": "`billing_failed`, `change_failed`, `charge_failed`, "
                "`undeliverable_recipient`",
                "examples": ["change_failed"],
            },
        },
        either={
            "changeId": {**_ID, "description": "The change that failed"},
            "code": {
                **_TEXT, "description": "Code of what was in its way", "examples": ["SUBSCRIPTION_INVALID_STATE"],
            },
            "message": {**_TEXT, "description": "Why it could not be billed, in words"},
            "billingRunId": {**_ID, "description": "The run that could not bill it"},
            "invoiceId": {**_ID, "description": "The invoice that can't be delivered, or was not paid"},
            "chargeId": {**_ID, "description": "The charge that was declined"},
        },
    ),
    _plain(
        "SubscriptionChangeEventData", "ScheduledChangeResponse", "change", "subscription_change.cancelled",
        "subscription_change.created",
    ),
    _plain(
        "SubscriptionPlanEventData", "SubscriptionPlanResponse", "plan", "subscription_plan.activated",
        "subscription_plan.archived", "subscription_plan.created", "subscription_plan.updated",
    ),
    _plain(
        "PaymentMethodEventData", "PaymentMethodResponse", "payment method", "payment_method.expired",
        "payment_method.expiring", "payment_method.removed", "payment_method.saved", "payment_method.updated",
    ),
    EventData(
        name="TestClockEventData", topics=("test_clock.advanced",),
        more={
            "from": {**_DAY, "description": "The day that the step began on"},
            "today": {**_DAY, "description": "The company's day by now"},
            "realToday": {**_DAY, "description": "The real day, in its time zone"},
        },
        text="The days that a sandbox was moved over; the event is one of the company",
    ),
    EventData(
        name="TestClockFailedEventData", topics=("test_clock.failed",),
        more={
            "from": {**_DAY, "description": "The day that the step began on"},
            "today": {**_DAY, "description": "The company's day by now, on which the step failed"},
            "realToday": {**_DAY, "description": "The real day, in its time zone"},
            "advancingTo": {**_DAY, "description": "The day that it was to come to"},
            "failure": {**_TEXT, "description": "Why it failed, in words"},
        },
        text="The day that a step came to, and why it went no further; the event is one of the company",
    ),
    _plain(
        "UsageBackfillEventData", "UsageBackfillResponse", "backfill", "usage_backfill.cancelled",
        "usage_backfill.closed", "usage_backfill.created", "usage_backfill.reverted",
    ),
    _plain(
        "UsageEventEventData", "UsageEventResponse", "usage event", "usage_event.amended", "usage_event.withdrawn",
    ),
    _plain(
        "UsageImportEventData", "UsageImportResponse", "import", "usage_import.cancelled", "usage_import.completed",
        "usage_import.created", "usage_import.failed",
    ),
    EventData(
        name="UnattributedUsageEventData", topics=("usage.unattributed",),
        more={
            "customerId": {**_ID, "description": "The customer who used it"},
            "meterId": {**_ID, "description": "The meter that it was reported to"},
            "day": {
                "type": "string", "format": "date", "description": "Its day in the company's time zone",
                "examples": ["2026-01-31"],
            },
        },
        text="Whose usage of which day belongs to no subscription: the event's object is the customer",
    ),
    _plain("VendorEventData", "VendorResponse", "vendor", "vendor.created"),
    _plain("VendorGroupEventData", "VendorGroupResponse", "vendor group", "vendor_group.created"),
    EventData(
        name="WebhookEndpointDisabledEventData", topics=("webhook_endpoint.disabled",),
        more={
            "id": {**_ID, "description": "The endpoint"},
            "url": {**_TEXT, "description": "Its address", "examples": ["https://example.com/webhooks"]},
            "reason": _or_null(_TEXT, "Why it was disabled, in words"),
            "failingSince": _or_null(
                {"type": "string", "format": "date-time", "examples": [EXAMPLE_MOMENT]},
                "The first failure since the last success",
            ),
        },
        text="The endpoint that was disabled, and why",
    ),
)  # fmt: skip


def _header(name: str, description: str, example: str) -> dict[str, Any]:
    schema = {"type": "string", "examples": [example]}
    return {"name": name, "in": "header", "required": True, "description": description, "schema": schema}


#: Headers of a delivery (Standard Webhooks), by the names of their components.
HEADERS: Final = {
    "WebhookId": _header("webhook-id", "The event's id: the same in each attempt", EXAMPLE_ID),
    "WebhookTimestamp": _header("webhook-timestamp", "When this attempt was sent, in seconds since 1970", "1705314600"),
    "WebhookSignature": _header(
        "webhook-signature",
        "Signatures of `{id}.{timestamp}.{body}`, separated by blanks",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
}


def describe_events(document: dict[str, Any]) -> None:
    """Give the document its `webhooks`, and the components of their `data`."""
    schemas = document["components"]["schemas"]
    for one in DATA:
        schemas[one.name] = one.schema(schemas)
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    document["components"]["parameters"] = HEADERS
    document["webhooks"] = {topic: {"post": _delivery(topic, one)} for topic, one in by_topic()}


def by_topic() -> Iterator[tuple[str, EventData]]:
    """Each topic that is told, with what its data is, in their order."""
    yield from sorted(((topic, one) for one in DATA for topic in one.topics), key=lambda pair: pair[0])


def example_of(topic: str, data: EventData, schemas: Mapping[str, Any]) -> dict[str, Any]:
    """An example of the body that is sent."""
    return {
        "id": EXAMPLE_ID,
        "type": topic,
        "timestamp": EXAMPLE_MOMENT,
        "data": sample(schemas[data.name], schemas),
    }


def _delivery(topic: str, data: EventData) -> dict[str, Any]:
    body = _object(
        f"An event `{topic}`",
        id={**_ID, "description": "The event's id"},
        type={"type": "string", "const": topic, "description": "The topic"},
        timestamp={
            "type": "string", "format": "date-time", "description": "When it happened", "examples": [EXAMPLE_MOMENT],
        },
        data={"$ref": f"#/components/schemas/{data.name}"},
    )  # fmt: skip
    body["properties"]["isTest"] = {
        "type": "boolean", "const": True, "description": "Of events of sandboxes only: nothing of it is meant",
    }  # fmt: skip
    return {
        "tags": ["Events"],
        "summary": topic,
        "description": data.text,
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in HEADERS],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {"2XX": {"description": "It was received. After any other answer it is sent again"}},
    }
