"""The feed of events over HTTP: every event once, in the order of the commits, and nothing that isn't for integrators."""

from typing import Any

from tests.conftest import Api

PATH = "/v1/events"


async def fed(api: Api, **query: str) -> dict[str, Any]:
    answer = await api.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_first(api: Api) -> None:
    groups = (await api.get("/v1/customer-groups")).json()[0]["id"]
    body = {
        "customerNumber": "1",
        "customerType": "company",
        "name": "Havn A/S",
        "vatZone": "domestic",
        "countryCode": "DK",
        "customerGroupId": groups,
    }
    customer = (await api.post("/v1/customers", body)).json()
    page = await fed(api)
    print(page)
    assert await fed(api, after=page["nextCursor"]) == {"data": [], "nextCursor": page["nextCursor"]}
    assert (await fed(api, types="customer.created,invoice.sent"))["data"] == page["data"][:1]
    assert (await fed(api, objectId=customer["id"]))["data"] == page["data"][:1]
    one = await api.get(f"{PATH}/{page['data'][0]['id']}")
    assert one.json() == page["data"][0]
    for q in ({"after": "x"}, {"after": "999"}, {"types": "nope"}, {"types": ""}, {"types": "invoice.sent,{x}"}):
        a = await api.get(PATH, params=q)
        print(a.text)
        assert a.status_code == 400
