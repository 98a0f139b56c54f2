"""A running system with members and a shop in it, for stories of applications that members let in."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

from tests import patient
from tests.members import Member
from tests.runtime.processes import Served, cli_json


async def new_people(stack: AsyncExitStack, served: Served, data: Path) -> tuple[Member, Member]:
    """Mette owns two companies; Ib keeps the books of the first. Both come by links of `ledgerbee user create`."""
    other = cli_json("company", "create", "--name", "Sidste skanse", "--country", "DK", "--data-dir", data)["id"]

    async def comes(member: Member, role: str, company: str) -> None:
        given = ("--email", member.email, "--role", role, "--company", company, "--data-dir", data)
        await member.accepts(cli_json("user", "create", *given)["link"])

    made = []
    for name in ("Mette Holm", "Ib Lund"):
        http = await stack.enter_async_context(patient.async_client(base_url=served.url))
        made.append(Member.at(http, f"{name.split()[0].lower()}@example.com", name))
    mette, ib = made
    await comes(mette, "owner", cast("str", served.company))
    await comes(mette, "accountant", other)
    await comes(ib, "accountant", cast("str", served.company))
    await mette.signs_out()
    return mette, ib


def set_up_shop(served: Served) -> None:
    """What is there before anybody lets an application in: a product with its price, and a customer."""

    def made(path: str, **body: Any) -> Any:
        answer = served.http.post(f"/api/v1/{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    groups = served.http.get("/api/v1/product-groups").json()["data"]
    product = made("products", number="KURSUS", name="Kursus", productGroupId=groups[0]["id"])
    made(
        "product-prices", productId=product["id"], billingPeriodType="ONE_TIME", pricingModel="FLAT_RATE",
        unitAmount="100",
    )  # fmt: skip
    customers = served.http.get("/api/v1/customer-groups").json()
    made(
        "customers", customerNumber="1", customerType="company", name="Havn A/S", vatZone="domestic",
        countryCode="DK", customerGroupId=customers[0]["id"],
    )  # fmt: skip


def actor_of(member: Member, company: str, data: Path) -> str:
    """The actor of what a member does, and of what applications do for the member."""
    users = cli_json("user", "list", "--company", company, "--data-dir", data)["users"]
    return next(f"user:{one['id']}" for one in users if one["email"] == member.email)


def signed(entry: Any) -> dict[int, str]:
    """An entry's lines: amounts by account, credit negative."""
    minus = {"DEBIT": "", "CREDIT": "-"}
    return {line["accountNumber"]: minus[line["side"]] + line["amount"] for line in entry["lines"]}


def journal_of(served: Served) -> list[tuple[int, str, dict[int, str], str]]:
    """Every entry of the first company, as the API has it: number, day, lines, who posted it."""
    answer = served.http.get("/api/v1/journal-entries")
    assert answer.status_code == 200, answer.text
    entries = answer.json()["data"]
    return sorted((one["entryNumber"], one["date"], signed(one), one["postedBy"]) for one in entries)
