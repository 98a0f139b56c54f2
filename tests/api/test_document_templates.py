"""Document templates over HTTP (contract 2.6)."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from tests.conftest import Api

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.sales.templates import store
from ledgerbee.sales.templates.model import DocumentTemplate, DocumentTemplateId, TemplateType

NEW = {"name": "Sommer", "documentType": "invoice-template", "language": "da"}


async def listed(api: Api, **query: Any) -> dict[str, Any]:
    answer = await api.get("/v1/document-templates", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_new_company_has_each_in_two_languages(api: Api) -> None:
    page = await listed(api, sortBy="name", sortOrder="ASC")
    assert {key: page[key] for key in ("total", "page", "limit", "totalPages")} == {
        "total": 8, "page": 1, "limit": 25, "totalPages": 1,
    }  # fmt: skip
    names = [row["name"] for row in page["data"]]
    assert names == sorted(names, key=str.lower)
    danish = next(row for row in page["data"] if row["name"] == "Faktura")
    assert danish == {
        "id": danish["id"],
        "name": "Faktura",
        "documentType": "invoice-template",
        "isDefault": True,
        "createdAt": "2026-03-16T12:00:00.000Z",
        "language": "da",
        "accentColor": None,
        "showsLogo": True,
        "introText": None,
        "paymentText": None,
        "footerText": None,
    }
    assert sorted(row["documentType"] for row in page["data"] if row["isDefault"]) == sorted(TemplateType)


async def test_filter_search_sort_and_pages(api: Api) -> None:
    api.clock.advance(seconds=1)
    await api.post("/v1/document-templates", NEW)
    by_type = await listed(api, documentType="invoice-template", sortBy="name", sortOrder="ASC")
    assert [row["name"] for row in by_type["data"]] == ["Faktura", "Invoice", "Sommer"]
    assert [row["name"] for row in (await listed(api, search="fAk"))["data"]] == ["Faktura"]
    assert (await listed(api, search="%"))["total"] == 0
    assert (await listed(api))["data"][0]["name"] == "Sommer"  # newest first
    types = [row["documentType"] for row in (await listed(api, sortBy="documentType", sortOrder="ASC"))["data"]]
    assert types == sorted(types)
    second = await listed(api, limit=4, page=3, sortBy="name", sortOrder="ASC")
    assert (len(second["data"]), second["total"], second["totalPages"]) == (1, 9, 3)


@pytest.mark.parametrize("query", [{"documentType": "letter"}, {"sortBy": "language"}, {"sortOrder": "up"}])
async def test_bad_questions(api: Api, query: dict[str, str]) -> None:
    answer = await api.get("/v1/document-templates", params=query)
    assert answer.status_code == 400
    [problem] = answer.json()["details"]["validationErrors"]
    assert problem["property"] == next(iter(query))
    assert "isEnum" in problem["constraints"]


async def test_create_and_choose_the_default(api: Api, other_api: Api) -> None:
    made = await api.post("/v1/document-templates", NEW)
    assert made.status_code == 201
    assert made.json()["isDefault"] is False
    path = f"/v1/document-templates/{made.json()['id']}/set-default"
    chosen = await api.post(path)
    assert chosen.status_code == 200
    assert chosen.json() == {**made.json(), "isDefault": True}
    assert (await api.post(path)).json() == chosen.json()
    defaults = [row["name"] for row in (await listed(api, documentType="invoice-template"))["data"] if row["isDefault"]]
    assert defaults == ["Sommer"]
    at_once = (await api.post("/v1/document-templates", {**NEW, "name": "Jul", "isDefault": True})).json()
    assert at_once["isDefault"] is True

    async def default(context: Context) -> DocumentTemplate:
        templates = await store.list_all(context)
        (found,) = [one for one in templates if one.document_type is TemplateType.INVOICE and one.is_default]
        return found

    async def get(context: Context) -> DocumentTemplate:
        return await store.get(context, DocumentTemplateId(UUID(at_once["id"])))

    assert await api.run(default) == await api.run(get)
    assert (await other_api.run(default)).name == "Faktura"
    with pytest.raises(LedgerBeeError, match="No such document template"):
        await other_api.run(get)
    for foreign in (await other_api.post(path), await api.post(f"/v1/document-templates/{new_id()}/set-default")):
        assert foreign.status_code == 404
        assert foreign.json()["code"] == "DOCUMENT_TEMPLATE_NOT_FOUND"


async def test_two_new_defaults_at_once(api: Api) -> None:
    ids = [row["id"] for row in (await listed(api, documentType="quote-template"))["data"]]
    ids.append((await api.post("/v1/document-templates", {**NEW, "documentType": "quote-template"})).json()["id"])
    answers = await asyncio.gather(*(api.post(f"/v1/document-templates/{one}/set-default") for one in ids * 3))
    assert {answer.status_code for answer in answers} == {200}
    found = (await listed(api, documentType="quote-template"))["data"]
    assert len([row for row in found if row["isDefault"]]) == 1


@pytest.mark.parametrize(
    ("change", "property_"),
    [({"name": ""}, "name"), ({"documentType": "letter"}, "documentType"), ({"language": "de"}, "language"),
     ({"isDefault": 1}, "isDefault"), ({"layout": "x"}, "layout")],
)  # fmt: skip
async def test_bad_input(api: Api, change: dict[str, Any], property_: str) -> None:
    answer = await api.post("/v1/document-templates", {**NEW, **change})
    assert answer.status_code == 400
    assert [row["property"] for row in answer.json()["details"]["validationErrors"]] == [property_]
