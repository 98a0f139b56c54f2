"""New companies to simulate in, made over HTTP, and the model's picture of them."""

import hashlib
from typing import Any

from tests.sim.clients import Line
from tests.sim.entering import Entry
from tests.sim.model import Company
from tests.sim.requests import Request
from tests.sim.years import Year, Years

#: What a company's VAT codes may look like, beside those of its chart.
_VAT_CODES: tuple[Entry, ...] = (
    {"vatCode": "SIM1", "vatRate": "25", "principle": "Gross"},
    {"vatCode": "SIM2", "vatRate": "8.1", "principle": "Net"},
    {"vatCode": "SIM3", "vatRate": "25", "principle": "Gross", "deductiblePercent": "33.33"},
    {"vatCode": "SIM4", "vatRate": "19.6", "principle": "Net", "deductiblePercent": "66.6667", "contra": True},
    {"vatCode": "SIM5", "vatRate": "25", "principle": "Net", "deductiblePercent": "0", "contra": True},
    {"vatCode": "SIM6", "vatRate": "0", "principle": "Net"},
    {"vatCode": "SIM7", "vatRate": "100", "principle": "Gross", "deductiblePercent": "50"},
    {"vatCode": "SIM9", "vatRate": "25", "principle": "Net", "deductibleShare": "2/3", "contra": True},
    {"vatCode": "SIMA", "vatRate": "25", "principle": "Gross", "deductibleShare": "1/3", "then": ("20", "1/1")},
    {"vatCode": "SIM8", "vatRate": "25", "principle": "Net", "inactive": True},
)
#: When the rate of a code changes, in the middle of the days that are posted on.
RATE_CHANGE = "2026-01-01"


async def found(operator: Line, name: str, currency: str, country: str, year: Year) -> tuple[str, str, Company]:
    """A new company: its id, its key, and the model of it."""
    body = {
        "name": name, "countryCode": country, "baseCurrency": currency, "timeZone": "Europe/Copenhagen",
        "address": "Havnegade 1", "postalCode": "1058", "city": "København K", "vatNumber": "13585628",
        "fiscalYearStart": year[0], "fiscalYearEnd": year[1],
    }  # fmt: skip
    made = (await operator.send(Request("", "POST", "/v1/companies", body))).json()
    line = Line(operator.http, made["key"])

    async def ok(method: str, path: str, body: Any = None) -> Any:
        response = await line.send(Request("", method, path, body))
        assert response.is_success, response.text
        answer = response.json()
        return answer["data"] if isinstance(answer, dict) and "data" in answer else answer

    accounts = {account["id"]: account for account in await ok("GET", "/v1/accounts")}
    company = Company(
        base=currency,
        language=made["preferredLanguage"],
        years=Years([year]),
        head=hashlib.sha256(f"ledgerbee:genesis:{made['id']}".encode()).hexdigest(),
        accounts=accounts,
        vat_codes={},
        categories={category["id"]: category for category in await ok("GET", "/v1/journal-categories")},
        customers={},
        vendors={},
    )
    plain = [
        key for key, account in accounts.items()
        if account["ledgerType"] == "BALANCE_SHEET" and account["controlAccountType"] is None
    ]  # fmt: skip
    unused = {
        "accountNumber": 99_001, "name": "Old", "ledgerType": "PROFIT_AND_LOSS", "accountClassification": "EXPENSE",
    }  # fmt: skip
    closed = (await ok("POST", "/v1/accounts", unused))["id"]
    accounts[closed] = await ok("PATCH", f"/v1/accounts/{closed}", {"isActive": False})
    for wanted in _VAT_CODES:
        code = {name: value for name, value in wanted.items() if name not in {"contra", "inactive", "then"}}
        code |= {"name": code["vatCode"], "type": "PURCHASE", "accountToBookId": plain[0]}
        if wanted.get("contra"):
            code["contraAccountToBookId"] = plain[1]
        made_code = await ok("POST", "/v1/vat-codes", code)
        if then := wanted.get("then"):
            rates = [
                {"vatRate": wanted["vatRate"], "deductibleShare": wanted["deductibleShare"]},
                {"validFrom": RATE_CHANGE, "vatRate": then[0], "deductibleShare": then[1]},
            ]
            made_code = await ok("PUT", f"/v1/vat-codes/{made_code['id']}/rates", {"rates": rates})
        if wanted.get("inactive"):
            made_code = await ok("PATCH", f"/v1/vat-codes/{made_code['id']}", {"isActive": False})
        company.vat_codes[made_code["id"]] = made_code
    groups = (await ok("GET", "/v1/customer-groups"))[0], (await ok("GET", "/v1/vendor-groups"))[0]
    for number in ("1", "2"):
        customer = {
            "customerNumber": number, "customerType": "company", "name": "Havn A/S", "vatZone": "domestic",
            "countryCode": country, "customerGroupId": groups[0]["id"],
        }  # fmt: skip
        company.customers[(await ok("POST", "/v1/customers", customer))["id"]] = groups[0]["accountId"]
        vendor = {
            "vendorNumber": number, "name": "Papir & Co", "vendorGroupId": groups[1]["id"], "currency": currency,
            "countryCode": country, "contacts": [{"name": "Bo"}],
        }  # fmt: skip
        company.vendors[(await ok("POST", "/v1/vendors", vendor))["id"]] = groups[1]["accountId"]
    for is_unique in (False, True):
        dimension = await ok("POST", "/v1/dimensions", {"name": f"Unique: {is_unique}", "isUnique": is_unique})
        for value in ("one", "two", "three"):
            tag = await ok("POST", f"/v1/dimensions/{dimension['id']}/values", {"name": value})
            company.tags[tag["id"]] = {"dimensionId": dimension["id"], "isUnique": is_unique}
    return made["id"], made["key"], company
