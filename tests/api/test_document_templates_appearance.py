"""What a document template says of how documents look, over HTTP (ours), and the example that shows it."""

import asyncio
import io
from typing import Any

import pytest
from pypdf import PdfReader
from tests.conftest import Api
from tests.selling import Shop, line

from ledgerbee.core.ids import new_id

LOOKS = {
    "accentColor": "#AA3300",
    "showsLogo": False,
    "introText": "Tak for din ordre.",
    "paymentText": "Renter efter renteloven.",
    "footerText": "Medlem af foreningen",
}
PLAIN = {"accentColor": None, "showsLogo": True, "introText": None, "paymentText": None, "footerText": None}


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).replace("\u00a0", " ")


async def danish(api: Api, document_type: str = "invoice-template") -> dict[str, Any]:
    page = (await api.get("/v1/document-templates", params={"documentType": document_type})).json()
    return dict(next(row for row in page["data"] if row["language"] == "da"))


async def preview(api: Api, template_id: str) -> bytes:
    answer = await api.post(f"/v1/document-templates/{template_id}/preview")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return answer.content


async def test_a_new_template_is_plain_and_can_say_how_it_looks(api: Api) -> None:
    new = {"name": "Sommer", "documentType": "invoice-template", "language": "da"}
    plain = (await api.post("/v1/document-templates", new)).json()
    assert {name: plain[name] for name in PLAIN} == PLAIN
    made = (await api.post("/v1/document-templates", {**new, **LOOKS})).json()
    assert {name: made[name] for name in LOOKS} == {**LOOKS, "accentColor": "#aa3300"}


async def test_a_change_is_of_the_fields_that_are_sent(api: Api) -> None:
    template = await danish(api)
    path = f"/v1/document-templates/{template['id']}"
    changed = await api.patch(path, {"name": "Vinter", "introText": "Hej"})
    assert changed.status_code == 200
    assert changed.json() == {**template, "name": "Vinter", "introText": "Hej"}
    assert (await api.patch(path, {})).json() == changed.json()
    assert (await api.patch(path, {"introText": "  "})).json() == {**changed.json(), "introText": None}
    assert (await danish(api))["name"] == "Vinter"


@pytest.mark.parametrize(
    ("change", "property_"),
    [
        ({"accentColor": "red"}, "accentColor"),
        ({"accentColor": "#12345"}, "accentColor"),
        ({"accentColor": '#12345")'}, "accentColor"),
        ({"showsLogo": "yes"}, "showsLogo"),
        ({"showsLogo": None}, "showsLogo"),
        ({"introText": "x" * 2001}, "introText"),
        ({"paymentText": "x" * 2001}, "paymentText"),
        ({"footerText": "x" * 201}, "footerText"),
        ({"name": None}, "name"),
        ({"documentType": "quote-template"}, "documentType"),
        ({"isDefault": True}, "isDefault"),
    ],
)
async def test_bad_input_changes_nothing(api: Api, change: dict[str, Any], property_: str) -> None:
    template = await danish(api)
    answer = await api.patch(f"/v1/document-templates/{template['id']}", {"name": "Vinter", **change})
    assert answer.status_code == 400
    assert [row["property"] for row in answer.json()["details"]["validationErrors"]] == [property_]
    assert await danish(api) == template


async def test_two_changes_at_once_both_count(api: Api) -> None:
    template = await danish(api)
    path = f"/v1/document-templates/{template['id']}"
    answers = await asyncio.gather(api.patch(path, {"introText": "Hej"}), api.patch(path, {"footerText": "Farvel"}))
    assert {answer.status_code for answer in answers} == {200}
    assert await danish(api) == {**template, "introText": "Hej", "footerText": "Farvel"}


async def test_another_company_neither_changes_nor_prints_it(api: Api, other_api: Api) -> None:
    template = await danish(api)
    for found in (
        await other_api.patch(f"/v1/document-templates/{template['id']}", {"name": "x"}),
        await other_api.post(f"/v1/document-templates/{template['id']}/preview"),
        await api.post(f"/v1/document-templates/{new_id()}/preview"),
    ):
        assert (found.status_code, found.json()["code"]) == (404, "DOCUMENT_TEMPLATE_NOT_FOUND")
    assert await danish(api) == template


@pytest.mark.parametrize(
    ("document_type", "title"),
    [
        ("invoice-template", "Faktura"),
        ("credit-note-template", "Kreditnota"),
        ("quote-template", "Tilbud"),
        ("order-confirmation-template", "Ordrebekræftelse"),
    ],
)
async def test_the_example_shows_the_template_and_the_company(api: Api, document_type: str, title: str) -> None:
    template = await danish(api, document_type)
    await api.patch(f"/v1/document-templates/{template['id']}", LOOKS)
    company = (await api.get("/v1/company")).json()
    shown = text_of(await preview(api, template["id"]))
    for expected in (title, company["name"], "KLADDE", "Eksempel A/S", LOOKS["introText"], LOOKS["footerText"]):
        assert str(expected) in shown
    assert (str(LOOKS["paymentText"]) in shown) == (document_type == "invoice-template")
    # 7.5 x 950 = 7,125.00 and 20 x 39.95 less 10 % = 719.10; VAT 25 % of 7,844.10 = 1,961.03 (half away from zero).
    assert "9.805,13" in shown


async def test_an_example_keeps_nothing(api: Api) -> None:
    shop = Shop(api)
    template = await danish(api)
    counted = "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM document_snapshots)"
    before = await shop.value(counted)
    await preview(api, template["id"])
    assert await shop.value(counted) == before


async def test_what_was_sent_stays_as_it_was(api: Api) -> None:
    shop, template = Shop(api), await danish(api)
    path = f"/v1/document-templates/{template['id']}"
    await api.patch(path, {"introText": "Tak for ordren", "paymentText": "Renter efter renteloven"})
    customer, price = await shop.customer(), await shop.price("100")
    sent = await shop.draft(customer, line(price))
    await shop.send(sent)
    draft = await shop.draft(customer, line(price))
    await api.patch(path, {"introText": "Velkommen", "paymentText": None})
    of_sent = text_of((await api.get(f"/v1/invoices/{sent['id']}/pdf")).content)
    assert "Tak for ordren" in of_sent
    assert "Renter efter renteloven" in of_sent
    of_draft = text_of((await api.get(f"/v1/invoices/{draft['id']}/pdf")).content)
    assert "Velkommen" in of_draft
    assert "Renter" not in of_draft


async def test_texts_that_no_font_shows_are_refused_when_the_document_is_sent(api: Api) -> None:
    shop, template = Shop(api), await danish(api)
    await api.patch(f"/v1/document-templates/{template['id']}", {"footerText": "中文"})
    draft = await shop.draft(await shop.customer(), line(await shop.price("100")))
    answer = await api.post(f"/v1/invoices/{draft['id']}/send", {})
    assert (answer.status_code, answer.json()["code"]) == (400, "DOCUMENT_CHARACTERS_UNPRINTABLE")
    assert answer.json()["details"]["characters"][0]["fields"] == ["footer"]
    assert (await shop.invoice(draft["id"]))["status"] == "draft"
