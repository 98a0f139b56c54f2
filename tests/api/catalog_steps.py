"""Steps that the tests of the catalogue share: a group, a product, a price, a meter, a licence taken away."""

from typing import Any

from tests.conftest import Api
from tests.selling import Shop, line

from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company import store as companies

#: A group's account fields with accounts of the Danish chart that fit them (goods).
GOODS = {
    "domesticAccountId": 1010,
    "euAccountId": 1050,
    "abroadAccountId": 1100,
    "domesticWithoutVatAccountId": 1011,
}
UNKNOWN = "01890000-0000-7000-8000-000000000000"


async def account_ids(api: Api) -> dict[int, str]:
    """The company's accounts by number."""
    return {account["accountNumber"]: account["id"] for account in (await api.get("/v1/accounts")).json()}


async def group_body(api: Api, **fields: Any) -> dict[str, Any]:
    """What creates a product group for goods."""
    accounts = await account_ids(api)
    mapped = {field: accounts[number] for field, number in GOODS.items()}
    return {"number": "G1", "name": "Goods", **mapped, **fields}


async def group_id(api: Api, number: str = "1") -> str:
    """The id of a group that every company starts with: 1 goods, 2 services."""
    groups = (await api.get("/v1/product-groups", params={"search": number})).json()["data"]
    return str(next(group["id"] for group in groups if group["number"] == number))


async def new_product(api: Api, **fields: Any) -> dict[str, Any]:
    """A product of the goods group."""
    body = {"number": f"P-{new_id()}", "name": "Chair", **fields}
    if "productGroupId" not in body:
        body["productGroupId"] = await group_id(api)
    answer = await api.post("/v1/products", body)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def new_price(api: Api, product_id: str, **fields: Any) -> dict[str, Any]:
    """A flat price of 100, once, but for `fields`; None leaves a field out."""
    body = {
        "productId": product_id,
        "billingPeriodType": "ONE_TIME",
        "pricingModel": "FLAT_RATE",
        "unitAmount": 100,
        **fields,
    }
    answer = await api.post("/v1/product-prices", {name: value for name, value in body.items() if value is not None})
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def use_price(api: Api, price_id: str) -> dict[str, Any]:
    """A draft invoice with the price on its only line."""
    shop = Shop(api)
    return await shop.draft(await shop.customer(), line(price_id))


async def set_licenses(api: Api, *licenses: str) -> None:
    """Leave the company with these licences only."""

    async def work(context: Context) -> None:
        await context.connection.execute(
            "UPDATE companies SET licenses = $2 WHERE company_id = $1", context.company_id, licenses
        )
        assert (await companies.get(context)).licenses == licenses

    await api.run(work)


async def new_meter(api: Api, status: str = "ACTIVE", **fields: Any) -> str:
    """A meter of a name of its own."""
    made = await api.post("/v1/meters", {"name": f"Calls {new_id()}", **fields})
    assert made.status_code == 201, made.text
    meter_id = str(made.json()["id"])
    if status == "ARCHIVED":
        assert (await api.post(f"/v1/meters/{meter_id}/archive")).json()["status"] == status
    return meter_id


def problems(answer: Any) -> dict[str, str]:
    """The properties that a validation error names, each with its first rule."""
    body = answer.json()
    assert (answer.status_code, body["code"]) == (400, "SHARED_VALIDATION_FAILED"), body
    return {e["property"]: next(iter(e["constraints"])) for e in body["details"]["validationErrors"]}


def refusal(answer: Any) -> tuple[int, str]:
    """Status and code of an error."""
    return answer.status_code, answer.json()["code"]
