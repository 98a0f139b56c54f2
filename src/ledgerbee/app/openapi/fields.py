"""Texts of fields that many models share, where the model itself says nothing.

A field that means something of its own is described in its model. What stands here means the same everywhere: one text
for one name, with the thing that it is about.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

#: By name of the field. `{thing}` is what the model is about: `product group`.
TEXTS: Final[Mapping[str, str]] = {
    "abroad": "Percent of VAT on sales abroad",
    "accountClassification": "What kind of account it is; null for headings and sums",
    "accountId": "The account",
    "accountName": "Name of the account",
    "accountNumber": "Number of the account",
    "accountToBookName": "Name of the account that the VAT is booked on",
    "accountToBookNumber": "Number of the account that the VAT is booked on",
    "address": "Street and number",
    "allowedJournalTypes": "Types of entry that may be posted in the category",
    "amount": "Amount of the {thing}, a decimal string in its currency",
    "amountPaid": "What has been paid of it, a decimal string",
    "apiKeyId": "The API key that was made with the company",
    "at": "When it was tried",
    "attachmentCount": "How many files are attached",
    "automaticBilling": "Whether its invoices are charged to the payment method",
    "bankAccountNumber": "Account number at the bank",
    "bankName": "Name of the bank",
    "bankRegistrationNumber": "Registration number of the bank's branch",
    "baseCurrency": "Currency that the books are kept in (ISO 4217)",
    "bic": "BIC of the bank (ISO 9362)",
    "billingEmail": "Address that bills for the company go to",
    "billingPeriodType": "How often the price is billed",
    "budgetHours": "Budgeted hours",
    "channel": "How it was sent",
    "city": "City",
    "closing": "Balance at the end, a decimal string; debit is positive",
    "code": "Stable code of what it is about",
    "color": "Colour as a hexadecimal code",
    "completedAt": "When it ended; null until then",
    "contactPersonFirstName": "First name of the contact person",
    "contactPersonLastName": "Last name of the contact person",
    "contentType": "Media type of the file",
    "contraAccountToBookName": "Name of the account for the other side of a reverse charge",
    "contraAccountToBookNumber": "Number of the account for the other side of a reverse charge",
    "cost": "Costs, a decimal string",
    "countryCode": "Country (ISO 3166-1 alpha-2)",
    "createdAt": "When the {thing} was created",
    "credit": "Sum of the credits, a decimal string",
    "currency": "Currency (ISO 4217)",
    "customerContactId": "The customer's contact that it is addressed to",
    "customerDepartmentId": "The customer's department that it is addressed to",
    "customerGroupId": "The customer group",
    "customerGroupName": "Name of the customer group",
    "customerGroupNumber": "Number of the customer group",
    "customerId": "The customer",
    "customerType": "Business, private person or public authority",
    "data": "The page's rows",
    "date": "Day of the {thing}",
    "debit": "Sum of the debits, a decimal string",
    "deliveryType": "How it is delivered",
    "departmentContactOverrideId": "The contact that its invoices name",
    "description": "Free text about the {thing}",
    "details": "What to know about it; depends on the code",
    "discountPercent": "Discount in percent; null without one",
    "documentTemplateId": "The template it is printed with; null for the default one",
    "documentType": "Kind of document that the template is for",
    "domestic": "Percent of VAT on domestic sales",
    "domestic_without_vat": "Percent of VAT on domestic sales without VAT",
    "drafts": "The drafts, in the order of the request",
    "dueDate": "Day by which it is to be paid",
    "email": "E-mail address",
    "entries": "The entries, in the order of the request",
    "entriesPosted": "How many entries are posted so far",
    "entryType": "Type of the entry",
    "error": "Code of RFC 6749",
    "error_description": "What is wrong, for a person",
    "eu": "Percent of VAT on sales to the EU",
    "expiresAt": "When it expires; null if it does not",
    "fileName": "Name of the file",
    "hasLogo": "Whether there is a logo",
    "iban": "IBAN of the bank account",
    "id": "The unique identifier of the {thing}",
    "invoiceId": "The invoice",
    "invoiceLineId": "The line of the invoice; null where it stands on none",
    "isActive": "Whether the {thing} is in use",
    "journalCategoryId": "The journal category",
    "journalEntryId": "The journal entry",
    "journalEntryIds": "The entries to reverse",
    "language": "Language of the printed document",
    "ledgerType": "What the row of the chart is: an account to book on, a heading or a sum",
    "licenses": "Licences of the company",
    "lineType": "What the line is: a product, a text or a separator",
    "lines": "The lines of the {thing}",
    "message": "What it says, for a person; may change",
    "meterId": "The meter whose usage it bills; null for other prices",
    "month": "The month, as `YYYY-MM`",
    "name": "Name of the {thing}",
    "nickname": "Name of the price, for its seller; null without one",
    "notes": "Text below the lines",
    "number": "Number of the {thing}",
    "occurredAt": "When it happened",
    "opening": "Balance at the beginning, a decimal string; debit is positive",
    "ourReference": "The seller's reference",
    "outcome": "How it ended",
    "parentCustomerId": "The customer that this one belongs to; null without one",
    "path": "Path of the request, without `/api`",
    "paymentMethodId": "The payment method that its invoices are charged to; null without one",
    "phone": "Telephone number",
    "planId": "The subscription plan",
    "postalCode": "Postal code",
    "postedAt": "When the entry was posted",
    "preferredLanguage": "Language of texts and documents",
    "priceId": "The price; null for lines that are no product",
    "pricingModel": "How the amount follows from the quantity",
    "productGroupId": "The product group",
    "productId": "The product",
    "providerId": "Id of the delivery at who carried it out; null if it gave none",
    "quantity": "Quantity; null for lines that are no product",
    "rateLimitTiers": "Limits on calls with this key",
    "recipient": "Who it was sent to",
    "reference": "Reference of the {thing}, such as a number of the bank's",
    "revenue": "Revenue, a decimal string",
    "revokedAt": "When it was revoked; null while it works",
    "scopes": "What may be done with it",
    "side": "Debit or credit",
    "startDate": "First day",
    "startedAt": "When the work on it began; null until then",
    "status": "Status of the {thing}",
    "statusCode": "The HTTP status",
    "subscriptionId": "The subscription",
    "success": "Whether it was sent",
    "tagIds": "Values of dimensions, and subprojects, that it is tagged with",
    "tiers": "Steps of the price; empty for a flat price",
    "timeZone": "Time zone that its days are counted in (IANA)",
    "timestamp": "When it was answered",
    "token_type": "How the token is sent",
    "totalCreated": "How many were created",
    "totals": "Sums over all rows",
    "type": "Whether the VAT is on sales or on purchases",
    "unit": "What is counted: pieces, hours; null without one",
    "unitAmount": "Price of one unit",
    "updatedAt": "When the {thing} was last updated",
    "vat": "VAT of the {thing}, a decimal string",
    "vatCode": "The code itself: short, unique in the company",
    "vatCodeId": "The VAT code; null without one",
    "vatNumber": "VAT number",
    "vatRatesByZone": "Percent of VAT in each zone",
    "vendorGroupId": "The vendor group",
    "vendorGroupName": "Name of the vendor group",
    "vendorId": "The vendor",
    "vendorNumber": "Unique vendor number within the company",
    "website": "Address of its website",
}
#: What a model is about, where its name doesn't say.
_THINGS: Final = {
    "CurrentApiKeyResponse": "API key",
    "ConvertedInvoiceResponse": "invoice",
    "ConvertedOrderConfirmationResponse": "order confirmation",
    "PublicCreditNoteSummary": "credit note",
    "PublicInvoiceSummary": "invoice",
    "PublicOrderConfirmationSummary": "order confirmation",
    "PublicQuoteSummary": "quote",
    "RateLimitTierResponse": "limit",
    "TrialBalanceRowResponse": "account",
    "StandardAccountResponse": "account",
    "JournalImportResponse": "import",
    "UsageBackfillResponse": "backfill",
    "UsageImportResponse": "import",
}
_FORM: Final = re.compile(r"^(Create(d)?|Update|Upsert|Public|New|List)(?=[A-Z])|(V1)?(Request|Response)$")
_WORD: Final = re.compile(r"OAuth|[A-Z][a-z]+")


def describe_fields(schemas: Mapping[str, Any]) -> None:
    """Give every property that says nothing of itself its text; and drop titles that only repeat its name."""
    for name, schema in schemas.items():
        thing = _THINGS.get(name) or thing_of(name)
        for field, described in schema.get("properties", {}).items():
            described.pop("title", None)  # Pydantic's: the name again, in a spelling of its own
            if "description" not in described and field in TEXTS:
                described["description"] = TEXTS[field].format(thing=thing)


def thing_of(schema: str) -> str:
    """What a model is about: `CreateApiKeyRequest` -> `API key`."""
    words = _WORD.findall(_FORM.sub("", _FORM.sub("", schema)))
    return " ".join({"Api": "API", "Vat": "VAT", "OAuth": "OAuth"}.get(word, word.lower()) for word in words)


def print_numbers(node: Any, *, sent: bool) -> None:
    """Call whole numbers `number`, as the reference does; in what is `sent` the document says that they are whole."""
    if isinstance(node, dict):
        if node.get("type") == "integer":
            node["type"] = "number"
            if sent:
                node["multipleOf"] = 1
        for value in node.values():
            print_numbers(value, sent=sent)
    elif isinstance(node, list):
        for value in node:
            print_numbers(value, sent=sent)
