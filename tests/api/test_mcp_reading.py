"""Tools that read answer what the API answers, by pages and with full lines, and change nothing."""

from typing import Any

import pytest_asyncio
from tests.api.test_mcp import call
from tests.conftest import Api
from tests.connections import connect


@pytest_asyncio.fixture
async def token(api: Api, database_url: str) -> str:
    return (await connect(api, database_url))[1]


async def read(api: Api, token: str, name: str, **arguments: Any) -> dict[str, Any]:
    result = await call(api, token, name, arguments)
    assert not result.get("isError"), result
    found: dict[str, Any] = result["structuredContent"]
    return found


async def test_smoke(api: Api, token: str) -> None:
    from tests.api.test_customer_credit import overpaid
    from tests.selling import Shop

    shop = Shop(api)
    customer = await shop.customer()
    invoice, _ = await overpaid(shop, customer)
    print(await read(api, token, "get_customer", customerId=customer))
    print(await read(api, token, "get_document", kind="invoice", documentId=invoice["id"]))
    print(await read(api, token, "list_overdue", asOf="2027-01-01"))
    print(await read(api, token, "explain_balance", customerId=customer))
    print(await read(api, token, "list_documents", kind="invoice", customerId=customer, limit=1))
    print(await call(api, token, "list_documents", {"kind": "invoice", "invoiceId": customer, "limit": 1}))
    print(await read(api, token, "list_customers", limit=1, metadata={"a": 1}))
    print(await read(api, token, "list_journal_entries", limit=1, fromDate="2026-01-01"))
    print(await read(api, token, "get_trial_balance"))
    print(await read(api, token, "get_exchange_rate", currency="DKK"))
    print(await read(api, token, "list_subscriptions"))
    assert 0
