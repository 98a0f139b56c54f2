"""The bodies of the examples, by operation and media type. See `requests.py`."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

from ledgerbee.network.model import PEPPOL_CUSTOMIZATION

_TODAY: Final = "2026-03-16"


def _json(**fields: Any) -> dict[str, Any]:
    return {"application/json": fields}


def _form(**fields: str) -> dict[str, Any]:
    return {"application/x-www-form-urlencoded": fields}


def _line(account: str, side: str, amount: str, **more: str) -> dict[str, Any]:
    return {"accountId": f"{{{account}}}", "side": side, "amount": amount, **more}


_CAPITAL: Final = {
    "entryType": "JOURNAL_ENTRY",
    "date": _TODAY,
    "originalAmount": "40000.00",
    "description": "Capital paid in",
    "lines": [_line("bankAccountId", "DEBIT", "40000.00"), _line("equityAccountId", "CREDIT", "40000.00")],
}
_VOUCHER: Final = {
    "fileName": "voucher.txt",
    "contentType": "text/plain",
    "content": b64encode(b"Capital paid in").decode(),
}
_BILL: Final = {
    "entryType": "SUPPLIER_INVOICE",
    "date": _TODAY,
    "originalAmount": "1250.00",
    "vendorId": "{vendorId}",
    "reference": "F-1001",
    "description": "Paper",
    "lines": [_line("suppliesAccountId", "DEBIT", "1250.00", vatCodeId="{inputVatCodeId}")],
}
#: This machine: it may be sent to where the API is tried out, as by `make serve`.
_HOOK: Final = "http://127.0.0.1:3000/hook"
_CLIENT: Final = {"client_id": "{oauthClientId}", "client_secret": "{clientSecret}"}
_NDJSON: Final = (
    '{"entryType":"JOURNAL_ENTRY","date":"' + _TODAY + '","originalAmount":"1250.00","description":"Paper",'
    '"lines":[{"accountNumber":2450,"side":"DEBIT","amount":"1250.00","vatCode":"K010"},'
    '{"accountNumber":6480,"side":"CREDIT","amount":"1250.00"}]}\n'
)
_CSV: Final = (
    "entry;date;accountNumber;debit;credit;vatCode;description\n"
    f"1;{_TODAY};2450;1250,00;;K010;Paper\n1;;6480;;1250,00;;\n"
)
_USAGE: Final = (
    "idempotencyKey;customerId;meterId;value;timestamp;metadata.region\n"
    f"req-1046;{{customerId}};{{meterId}};12,5;{_TODAY}T09:00:00+01:00;north\n"
)
_ANSWER: Final = (
    '<ApplicationResponse xmlns="urn:oasis:names:specification:ubl:schema:xsd:ApplicationResponse-2"'
    ' xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"'
    ' xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">'
    "<cbc:CustomizationID>OIOUBL-2.1</cbc:CustomizationID>"
    f"<cbc:ID>SVAR-1</cbc:ID><cbc:IssueDate>{_TODAY}</cbc:IssueDate>"
    "<cac:DocumentResponse><cac:Response><cbc:ReferenceID>1</cbc:ReferenceID>"
    "<cbc:ResponseCode>BusinessReject</cbc:ResponseCode>"
    "<cbc:Description>Ukendt ordrenummer</cbc:Description></cac:Response>"
    "<cac:DocumentReference><cbc:ID>{invoiceNumber}</cbc:ID><cbc:DocumentTypeCode>Invoice</cbc:DocumentTypeCode>"
    "</cac:DocumentReference></cac:DocumentResponse></ApplicationResponse>\n"
)

_BOUNCE: Final = (
    "To: bounces@ledgerbee.example\n"
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
    "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mail.example\n\n"
    "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 No such user\n\n"
    "--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{deliveryId}@ledgerbee.example>\n\n--b--\n"
)

_UBL: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
#: The least that an invoice in UBL says, for 1,250.00 kroner.
_E_INVOICE: Final = "\n".join(
    (
        f'<Invoice xmlns="{_UBL}Invoice-2" xmlns:cac="{_UBL}CommonAggregateComponents-2"',
        f'  xmlns:cbc="{_UBL}CommonBasicComponents-2">',
        f"  <cbc:CustomizationID>{PEPPOL_CUSTOMIZATION}</cbc:CustomizationID>",
        f"  <cbc:ID>F-1001</cbc:ID><cbc:IssueDate>{_TODAY}</cbc:IssueDate>",
        "  <cbc:DocumentCurrencyCode>DKK</cbc:DocumentCurrencyCode>",
        "  <cac:AccountingSupplierParty><cac:Party>",
        "    <cac:PartyName><cbc:Name>Papir A/S</cbc:Name></cac:PartyName>",
        "    <cac:PostalAddress><cac:Country><cbc:IdentificationCode>DK</cbc:IdentificationCode></cac:Country>",
        "    </cac:PostalAddress>",
        "    <cac:PartyTaxScheme><cbc:CompanyID>DK25313763</cbc:CompanyID>",
        "      <cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>",
        "  </cac:Party></cac:AccountingSupplierParty>",
        "  <cac:AccountingCustomerParty><cac:Party>",
        '    <cbc:EndpointID schemeID="0088">5798009811578</cbc:EndpointID>',
        "    <cac:PartyName><cbc:Name>Nordlys ApS</cbc:Name></cac:PartyName>",
        "  </cac:Party></cac:AccountingCustomerParty>",
        '  <cac:TaxTotal><cbc:TaxAmount currencyID="DKK">250.00</cbc:TaxAmount>',
        '    <cac:TaxSubtotal><cbc:TaxableAmount currencyID="DKK">1000.00</cbc:TaxableAmount>',
        '      <cbc:TaxAmount currencyID="DKK">250.00</cbc:TaxAmount>',
        "      <cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>25</cbc:Percent></cac:TaxCategory>",
        "    </cac:TaxSubtotal></cac:TaxTotal>",
        "  <cac:LegalMonetaryTotal>",
        '    <cbc:LineExtensionAmount currencyID="DKK">1000.00</cbc:LineExtensionAmount>',
        '    <cbc:TaxExclusiveAmount currencyID="DKK">1000.00</cbc:TaxExclusiveAmount>',
        '    <cbc:TaxInclusiveAmount currencyID="DKK">1250.00</cbc:TaxInclusiveAmount>',
        '    <cbc:PayableAmount currencyID="DKK">1250.00</cbc:PayableAmount>',
        "  </cac:LegalMonetaryTotal>",
        '  <cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:InvoicedQuantity unitCode="EA">1</cbc:InvoicedQuantity>',
        '    <cbc:LineExtensionAmount currencyID="DKK">1000.00</cbc:LineExtensionAmount>',
        "    <cac:Item><cbc:Name>Paper</cbc:Name></cac:Item>",
        '    <cac:Price><cbc:PriceAmount currencyID="DKK">1000.00</cbc:PriceAmount></cac:Price>',
        "  </cac:InvoiceLine>",
        "</Invoice>",
    )
)

#: Small, and each with what a caller has to send and little else.
BODIES: Final[Mapping[str, dict[str, Any]]] = {
    "POST /v1/accounts": _json(
        accountNumber=1015, name="Salg af kurser", ledgerType="PROFIT_AND_LOSS", accountClassification="REVENUE"
    ),
    "PATCH /v1/accounts/{accountId}": _json(name="Salg af varer"),
    "POST /v1/api-keys": _json(name="Webshop", scopes=["customers-read", "invoices-write"]),
    "PATCH /v1/company": _json(address="Vestergade 1", postalCode="8000", city="Aarhus C", vatNumber="12345674"),
    "POST /v1/companies": _json(name="Nordlys Ejendomme ApS", countryCode="DK"),
    "POST /v1/test-clock/advance": _json(toDate="2026-03-16"),
    "POST /v1/customers": _json(
        customerNumber="1001",
        customerType="company",
        name="Havn A/S",
        vatZone="domestic",
        countryCode="DK",
        customerGroupId="{customerGroupId}",
        vatNumber="25313763",
    ),
    "PATCH /v1/customers/{customerId}": _json(address="Havnegade 1", postalCode="1058", city="København K"),
    "POST /v1/customers/{customerId}/contacts": _json(name="Mette Holm", email="mette@example.com"),
    "PATCH /v1/customers/{customerId}/contacts/{contactId}": _json(phone="+45 12 34 56 78"),
    "POST /v1/customers/{customerId}/departments": _json(name="Lager"),
    "PATCH /v1/customers/{customerId}/departments/{departmentId}": _json(city="Ribe"),
    "POST /v1/customer-groups": _json(number="90", name="Store kunder", accountId="{receivablesAccountId}"),
    "POST /v1/deliveries/bounces": _json(message=_BOUNCE),
    "POST /v1/dimensions": _json(name="Region", isUnique=True),
    "PUT /v1/dimensions/{dimensionId}": _json(name="Salgsregion", isUnique=True),
    "POST /v1/dimensions/{dimensionId}/values": _json(name="Jylland"),
    "PUT /v1/dimensions/{dimensionId}/values/{valueId}": _json(name="Fyn"),
    "POST /v1/document-templates": _json(name="In English", documentType="invoice-template", language="en"),
    "PATCH /v1/document-templates/{documentTemplateId}": _json(introText="Tak for din ordre.", accentColor="#1d4e5f"),
    "POST /v1/journal-categories": _json(name="Kasse", allowedJournalTypes=["JOURNAL_ENTRY"]),
    "POST /v1/journal-batches": _json(entries=[_CAPITAL]),
    "POST /v1/journal-entries": _json(**_CAPITAL),
    "PATCH /v1/journal-entries/{journalEntryId}": _json(reference="PO 7"),
    "POST /v1/journal-entries/reverse-batch": _json(journalEntryIds=["{journalEntryId}"]),
    "POST /v1/journal-entries/{journalEntryId}/reverse": _json(description="Posted twice"),
    "POST /v1/fiscal-years": _json(),
    "POST /v1/deferred-revenue/recognize": _json(month="2026-02"),
    "PUT /v1/ledger/lock-date": _json(lockedThrough="2020-12-31"),
    "POST /v1/product-groups": _json(
        number="PG001",
        name="Office Supplies",
        domesticAccountId="{salesAccountId}",
        euAccountId="{salesAccountId}",
        abroadAccountId="{salesAccountId}",
        domesticWithoutVatAccountId="{salesAccountId}",
    ),
    "PATCH /v1/product-groups/{productGroupId}": _json(description="Products for office use"),
    "POST /v1/meters": _json(name="API calls", unit="calls"),
    "POST /v1/meters/report": _json(meterId="{meterId}", customerId="{customerId}", value=12.5),
    "POST /v1/meters/report-batch": _json(
        events=[
            {"idempotencyKey": "req-1043", "meterId": "{meterId}", "customerId": "{customerId}", "value": 3},
            {"idempotencyKey": "req-1044", "meterName": "{meterName}", "customerId": "{customerId}", "value": "0.25"},
        ]
    ),
    "PATCH /v1/usage/events/{usageEventId}": _json(value=10),
    "POST /v1/usage/imports": {"text/csv": _USAGE},
    "POST /v1/usage/backfills": _json(**{"meterId": "{meterId}", "from": _TODAY, "to": _TODAY}),
    "POST /v1/usage/backfills/{usageBackfillId}/events": _json(
        events=[{"idempotencyKey": "req-1045", "meterId": "{meterId}", "customerId": "{customerId}", "value": 13}]
    ),
    "POST /v1/product-prices": _json(
        productId="{productId}",
        billingPeriodType="RECURRING",
        billingInterval="month",
        pricingModel="FLAT_RATE",
        unitAmount="80.00",
    ),
    "PATCH /v1/product-prices/{productPriceId}": _json(nickname="Standard"),
    "POST /v1/products": _json(number="P001", name="Coffee", productGroupId="{productGroupId}"),
    "PATCH /v1/products/{productId}": _json(description="Ground, 500 g"),
    "PUT /v1/projects": _json(name="Havnen", externalReference="pm-17"),
    "POST /v1/projects": _json(name="Broen"),
    "PUT /v1/projects/{projectId}": _json(name="Tunnelen"),
    "POST /v1/projects/{projectId}/subprojects": _json(name="Beton"),
    "PUT /v1/projects/{projectId}/subprojects/{subprojectId}": _json(name="Asfalt"),
    "POST /v1/subscription-plans": _json(name="Basis", items=[{"priceId": "{productPriceId}", "quantity": 1}]),
    "PATCH /v1/subscription-plans/{planId}": _json(trialDays=14),
    "POST /v1/subscriptions": _json(
        customerId="{customerId}",
        planId="{planId}",
        startDate=_TODAY,
        prorationBehavior="create_prorations",
        productOverrides=[{"priceId": "{planPriceId}", "quantity": 3}],
        partnerReferenceId="order-8812",
    ),
    "POST /v1/billing-runs": _json(asOf=_TODAY),
    "POST /v1/subscriptions/{subscriptionId}/preview": _json(
        change={"type": "edit_products", "payload": {"products": [{"priceId": "{planPriceId}", "quantity": 5}]}}
    ),
    "PATCH /v1/subscriptions/{subscriptionId}": _json(name="Basis, Aarhus"),
    "POST /v1/subscriptions/cancel": _json(id="{subscriptionId}", strategy="end_of_cycle"),
    "POST /v1/subscriptions/{subscriptionId}/scheduled-changes": _json(
        type="edit_products", payload={"products": [{"priceId": "{planPriceId}", "quantity": 5}]}
    ),
    "POST /v1/subscriptions/{subscriptionId}/pause": _json(prorationBehavior="create_prorations"),
    "POST /v1/subscriptions/{subscriptionId}/resume": _json(prorationBehavior="create_prorations"),
    "POST /v1/vat-codes": _json(
        vatCode="X25",
        name="Salg, særskilt",
        vatRate=25,
        type="SALES",
        principle="Net",
        accountToBookId="{vatAccountId}",
    ),
    "PATCH /v1/vat-codes/{vatCodeId}": _json(name="Indgående moms"),
    "PUT /v1/vat-codes/{vatCodeId}/rates": _json(rates=[{"vatRate": 25}]),
    "POST /v1/draft-journal-batches": _json(entries=[_CAPITAL]),
    "POST /v1/draft-journal-entries": _json(**_CAPITAL),
    "POST /v1/credit-notes": _json(
        customerId="{customerId}", date=_TODAY, lines=[{"priceId": "{productPriceId}", "quantity": 1}]
    ),
    "POST /v1/credit-notes/{creditNoteId}/send": _json(deliveryType="Manual"),
    "POST /v1/invoices": _json(
        customerId="{customerId}", date=_TODAY, lines=[{"priceId": "{productPriceId}", "quantity": 3}]
    ),
    "PATCH /v1/invoices/{invoiceId}": _json(notes="Tak for handelen"),
    "POST /v1/invoices/send-batch": _json(invoiceIds=["{invoiceId}"]),
    "POST /v1/invoices/{invoiceId}/send": _json(deliveryType="Manual"),
    "POST /v1/invoices/{invoiceId}/apply-credit": _json(amount="100.00"),
    "POST /v1/customers/{customerId}/credit/refund": _json(amount="100.00"),
    "POST /v1/invoices/{invoiceId}/charges": _json(paymentMethodId="{paymentMethodId}"),
    "POST /v1/charges/{chargeId}/refunds": _json(amount="10.00"),
    "POST /v1/invoices/{invoiceId}/payments": _json(date=_TODAY, amount="100.00"),
    "POST /v1/invoices/{invoiceId}/write-off": _json(description="Konkurs"),
    "POST /v1/invoices/{invoiceId}/write-off/reverse": _json(description="Dividende fra konkursboet"),
    "POST /v1/incoming-documents": {
        **_json(fileName="F-1001.xml", content=b64encode(_E_INVOICE.encode()).decode()),
        "application/xml": _E_INVOICE,
    },
    "POST /v1/incoming-documents/{incomingDocumentId}/answers": _json(answer="accepted"),
    "POST /v1/incoming-documents/{incomingDocumentId}/draft": _json(accountId="{suppliesAccountId}"),
    "POST /v1/order-confirmations": _json(
        customerId="{customerId}", date=_TODAY, lines=[{"priceId": "{productPriceId}", "quantity": 3}]
    ),
    "PATCH /v1/order-confirmations/{orderConfirmationId}": _json(notes="Tak for ordren"),
    "POST /v1/order-confirmations/{orderConfirmationId}/convert": _json(target="invoice"),
    "POST /v1/order-confirmations/{orderConfirmationId}/send": _json(deliveryType="Manual"),
    "POST /v1/quotes": _json(
        customerId="{customerId}", date=_TODAY, lines=[{"priceId": "{productPriceId}", "quantity": 3}]
    ),
    "PATCH /v1/quotes/{quoteId}": _json(notes="Vi glæder os til at høre fra jer"),
    "POST /v1/quotes/{quoteId}/accept": _json(answeredBy="Mette Holm"),
    "POST /v1/quotes/{quoteId}/convert": _json(target="orderConfirmation"),
    "POST /v1/quotes/{quoteId}/reject": _json(answeredBy="Mette Holm", comment="Vi har valgt en anden løsning"),
    "POST /v1/quotes/{quoteId}/send": _json(deliveryType="Email", recipientEmail="mette@example.com"),
    "POST /v1/customers/{customerId}/payment-methods/card-link": _json(language="da"),
    "POST /v1/customers/{customerId}/payment-methods/{paymentMethodId}/apply-to-subscriptions": _json(
        enableAutomaticBilling=True
    ),
    "POST /v1/payment-providers/sandbox/cards": _json(customerId="{customerId}", number="4242424242424242"),
    "POST /v1/payment-providers/sandbox/events": _json(type="agreement.active", paymentMethodId="{paymentMethodId}"),
    "PUT /v1/payment-providers/{provider}": _json(isEnabled=True),
    "POST /v1/payouts/import": {
        **_json(
            provider="sandbox",
            movements=[
                {
                    "id": "txn_1",
                    "type": "charge",
                    "amount": "500.00",
                    "fee": "8.80",
                    "currency": "DKK",
                    "date": _TODAY,
                    "object": "ch_1",
                    "payout": "po_1",
                },
                {
                    "id": "txn_2",
                    "type": "payout",
                    "amount": "-491.20",
                    "currency": "DKK",
                    "date": _TODAY,
                    "object": "po_1",
                },
            ],
        ),
        "text/csv": f"id;type;amount;fee;currency;date;payout\ntxn_3;fee;-12,50;0;DKK;{_TODAY};po_2\n",
    },
    "POST /v1/payments/{paymentId}/reverse": _json(description="Returned by the bank"),
    "POST /v1/vendors": _json(
        vendorNumber="2001",
        name="Papir A/S",
        vendorGroupId="{vendorGroupId}",
        currency="DKK",
        countryCode="DK",
        contacts=[{"name": "Astrid Holm"}],
    ),
    "POST /v1/vendors/{vendorId}/contacts": _json(name="Ib Lund", email="ib@example.com"),
    "PATCH /v1/vendors/{vendorId}/contacts/{contactId}": _json(phone="+45 12 34 56 78"),
    "POST /v1/vendors/{vendorId}/departments": _json(name="Lager"),
    "PATCH /v1/vendors/{vendorId}/departments/{departmentId}": _json(city="Ribe"),
    "POST /v1/vendor-groups": _json(number="90", name="Udenlandske", accountId="{payablesAccountId}"),
    "POST /v2/draft-journal-batches": _json(entries=[_BILL]),
    "POST /v2/draft-journal-entries": _json(**_BILL),
    "PATCH /v2/draft-journal-entries/{draftJournalEntryId}": _json(reference="F-1002"),
    "POST /v2/journal-entries": _json(**_CAPITAL, attachments=[_VOUCHER]),
    "POST /v2/journal-entries/batch": _json(entries=[_BILL]),
    "POST /v1/e-invoice-responses": {"application/xml": _ANSWER, "text/xml": _ANSWER},
    "POST /v2/journal-entries/import": {"application/x-ndjson": _NDJSON, "text/csv": _CSV},
    "PUT /v1/exchange-rates": _json(currency="EUR", date=_TODAY, rate="7.46"),
    "POST /v1/webhook-endpoints": _json(url=_HOOK, enabledEvents=["invoice.paid", "invoice.sent"]),
    "PUT /v1/webhook-endpoints/{webhookEndpointId}": _json(url=_HOOK, enabledEvents=["invoice.paid"]),
    "POST /v1/webhook-endpoints/{webhookEndpointId}/replay": _json(eventIds=["{eventId}"]),
    "POST /v1/oauth-clients": _json(name="Webshop", scopes=["customers-read", "invoices-write"]),
    "PATCH /v1/oauth-clients/{oauthClientId}": _json(scopes=["customers-read"]),
    "POST /v1/users/invitations": _json(email="mette@example.com", role="accountant"),
    "PATCH /v1/users/{userId}": _json(role="sales"),
    "PATCH /v1/connections/{connectionId}": _json(dailyLimit="2500"),
    "POST /v1/auth/token": _form(grant_type="client_credentials", **_CLIENT),
    "POST /v1/oauth/register": _json(
        client_name="Regnemester",
        redirect_uris=["http://127.0.0.1/callback"],
        token_endpoint_auth_method="none",  # noqa: S106  RFC 7591's name of a method
        grant_types=["authorization_code", "refresh_token"],
    ),
    "POST /v1/oauth/revoke": _form(token="{accessToken}", **_CLIENT),  # noqa: S106  a name in braces
}
