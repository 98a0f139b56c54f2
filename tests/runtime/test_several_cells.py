"""Companies in two embedded databases behind one API: each credential finds its own, and neither sees the other's."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests import patient
from tests.platform.servers import end
from tests.runtime.conftest import Made, copied, new_folder
from tests.runtime.processes import Served, cli, cli_json, today

from ledgerbee import embedded

OTHER = "0a"


@dataclass(frozen=True)
class OtherCell:
    """A second embedded database with a company, as its own commands made it."""

    server: embedded.Server
    company: str
    key: str
    variables: dict[str, str]

    def setting(self, folder: Path) -> str:
        """What the API process has to know of it."""
        url = self.server.dsn(user="ledgerbee_app")
        return json.dumps({OTHER: {"database_url": url, "attachments_dir": str(folder)}})


@pytest.fixture(scope="module")
def folder(reachable: Path) -> Path:
    return new_folder(reachable)


@pytest.fixture(scope="module")
def other(folder: Path) -> Iterator[OtherCell]:
    """Tests that stop its database start it again."""
    server = embedded.ensure_running(folder / "other")
    variables = {"DATABASE_URL": server.dsn(), "LEDGERBEE_CELL": OTHER}
    made = cli_json("company", "create", "--name", "Sydlys ApS", "--country", "DK", **variables)
    key = cli_json("api-key", "create", "--company", made["id"], "--scopes", "all", **variables)["key"]
    yield OtherCell(server, made["id"], key, variables)
    end(folder / "other")


@pytest.fixture(scope="module")
def served(made: Made, other: OtherCell, folder: Path, reachable: Path) -> Iterator[Served]:
    copied(made.copy, folder / "data")
    served = Served.start(folder / "data", new_folder(reachable), LEDGERBEE_CELLS=other.setting(folder / "files"))
    yield served
    assert served.stop() == 0
    end(folder / "data")


def get(served: Served, path: str, **headers: str) -> httpx.Response:
    return patient.get(f"{served.url}/api{path}", headers=headers)


def name_of(served: Served, **headers: str) -> Any:
    return get(served, "/v1/company", **headers).json().get("name")


def client_of(served: Served, key: str) -> dict[str, str]:
    body = {"name": "Shop", "scopes": ["company-read"]}
    made = patient.post(f"{served.url}/api/v1/oauth-clients", headers={"x-api-key": key}, json=body)
    assert made.status_code == 201, made.text
    return {"client_id": made.json()["clientId"], "client_secret": made.json()["clientSecret"]}


def token_of(served: Served, client: dict[str, str]) -> httpx.Response:
    return patient.post(f"{served.url}/api/v1/auth/token", data={"grant_type": "client_credentials", **client})


def test_each_credential_finds_its_company(served: Served, other: OtherCell) -> None:
    assert served.key is not None
    own, theirs = {"x-api-key": served.key}, {"x-api-key": other.key}
    assert other.key.startswith(f"lb_{OTHER}.")
    assert (name_of(served, **own), name_of(served, **theirs)) == ("My company", "Sydlys ApS")

    # The same number in both: each is written where its company lives, and shown there only.
    for key in (served.key, other.key):
        accounts = get(served, "/v1/product-groups", **{"x-api-key": key}).json()["data"][0]
        body = {"number": "SAME", "name": "Same", **{k: v for k, v in accounts.items() if k.endswith("AccountId")}}
        made = patient.post(f"{served.url}/api/v1/product-groups", headers={"x-api-key": key}, json=body)
        assert made.status_code == 201, made.text
        found = get(served, f"/v1/product-groups/{made.json()['id']}", **{"x-api-key": key})
        assert found.status_code == 200
        strangers = get(served, f"/v1/product-groups/{made.json()['id']}", **(theirs if key == served.key else own))
        assert strangers.status_code == 404

    # What is made over the API in the other cell carries its mark.
    body = {"name": "another", "scopes": ["company-read"]}
    made = patient.post(f"{served.url}/api/v1/api-keys", headers=theirs, json=body)
    assert made.json()["key"].startswith(f"lb_{OTHER}.")
    assert name_of(served, **{"x-api-key": made.json()["key"]}) == "Sydlys ApS"

    # A buyer's page is found by its link's mark, and nowhere else.
    for mark, key, name in (("00", served.key, "My company"), (OTHER, other.key, "Sydlys ApS")):
        link = page_of_quote(served, key)
        assert link.startswith(f"{served.url}/quotes/lbq_{mark}.")
        assert name in patient.get(link).text
        for wrong in {"00", OTHER, "7f"} - {mark}:
            assert patient.get(link.replace(f"lbq_{mark}.", f"lbq_{wrong}.")).status_code == 404


def page_of_quote(served: Served, key: str) -> str:
    """The address of the page of a new quote of the company whose key that is."""

    def ok(method: str, path: str, body: Any = None) -> Any:
        answer = patient.request(method, f"{served.url}/api{path}", headers={"x-api-key": key}, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    group = ok("GET", "/v1/customer-groups")[0]["id"]
    customer = {"customerNumber": "C1", "customerType": "company", "name": "Havblik A/S", "countryCode": "DK"}
    buyer = ok("POST", "/v1/customers", {**customer, "vatZone": "domestic", "customerGroupId": group})
    group = ok("GET", "/v1/product-groups")["data"][0]["id"]
    product = ok("POST", "/v1/products", {"number": "P1", "name": "Chair", "productGroupId": group})
    price = {
        "productId": product["id"],
        "billingPeriodType": "ONE_TIME",
        "pricingModel": "FLAT_RATE",
        "unitAmount": "9",
    }
    lines = [{"priceId": ok("POST", "/v1/product-prices", price)["id"]}]
    quote = ok("POST", "/v1/quotes", {"customerId": buyer["id"], "date": today(), "lines": lines})
    sent: str = ok("POST", f"/v1/quotes/{quote['id']}/send", {})["acceptanceUrl"]
    return sent


def test_clients_and_tokens_find_their_company(served: Served, other: OtherCell) -> None:
    assert served.key is not None
    own, theirs = client_of(served, served.key), client_of(served, other.key)
    names = []
    for client in (own, theirs):
        token = token_of(served, client).json()["access_token"]
        names.append(name_of(served, authorization=f"Bearer {token}"))
        assert token.startswith("lbt_00." if client is own else f"lbt_{OTHER}.")
    assert names == ["My company", "Sydlys ApS"]
    mixed = {**own, "client_secret": theirs["client_secret"]}
    assert token_of(served, mixed).json()["error"] == "invalid_client"


def test_a_mark_of_no_cell_is_a_wrong_credential(served: Served, other: OtherCell) -> None:
    """In the same words as any other."""
    unknown = [get(served, "/v1/company", **{"x-api-key": other.key.replace(OTHER, mark, 1)}) for mark in ("0b", "00")]
    plain = get(served, "/v1/company", **{"x-api-key": "lb_" + "x" * 43})
    for answer in unknown:
        assert answer.status_code == 401
        assert answer.json()["message"] == plain.json()["message"]
    client = {"client_id": "0195d0a0-0000-800b-8000-000000000000", "client_secret": "x"}
    assert (token_of(served, client).status_code, token_of(served, client).json()["error"]) == (401, "invalid_client")


def test_a_cell_that_is_down_is_its_companies_affair(served: Served, other: OtherCell, folder: Path) -> None:
    assert served.key is not None
    assert name_of(served, **{"x-api-key": other.key}) == "Sydlys ApS"
    embedded.stop(other.server)
    try:
        assert get(served, "/v1/company", **{"x-api-key": other.key}).status_code == 503
        assert name_of(served, **{"x-api-key": served.key}) == "My company"
        assert patient.get(f"{served.url}/readyz").status_code == 200
    finally:
        embedded.ensure_running(folder / "other")


def test_a_cell_that_is_down_at_the_start_comes_later(
    serve_own: Callable[..., Served], other: OtherCell, folder: Path
) -> None:
    embedded.stop(other.server)
    try:
        served = serve_own(LEDGERBEE_CELLS=other.setting(folder / "files"))
        assert served.key is not None
        assert name_of(served, **{"x-api-key": served.key}) == "My company"
    finally:
        embedded.ensure_running(folder / "other")
    assert name_of(served, **{"x-api-key": other.key}) == "Sydlys ApS"


_ONE = '{"database_url": "postgresql://a@b/c", "attachments_dir": "/srv/one"}'
_TWO = '{"database_url": "postgresql://a@b/d", "attachments_dir": "/srv/x/../one"}'


@pytest.mark.parametrize(
    "value",
    [
        "{",
        '{"zz": {"database_url": "postgresql://a@b/c"}}',
        '{"01": {"database_url": "mysql://a@b/c"}}',
        "[]",
        f'{{"00": {_ONE}}}',
        f'{{"01": {_ONE}, "01": {_ONE}}}',
        '{"01": {"database_url": "postgresql://a@b/c", "database_url": "postgresql://a@b/d", "attachments_dir": "/x"}}',
        f'{{"01": {_ONE}, "02": {_TWO}}}',
    ],
)
def test_cells_that_cannot_be_are_refused_at_the_start(value: str) -> None:
    done = cli("serve", "--port", "0", LEDGERBEE_CELLS=value)
    assert done.returncode == 1
    assert "LEDGERBEE_CELLS" in done.stderr
    assert "Traceback" not in done.stderr
