"""The pages on which members decide on what applications want to do."""

from typing import Any

from tests.agents import Agent
from tests.conftest import Api
from tests.ledger_books import books_of
from tests.people import Browser, signed_in, token_of
from tests.selling import Shop, line

from ledgerbee.identity.connections import actions
from ledgerbee.identity.connections.model import EndReason


async def wanted(agent: Agent, shop: Shop, name: str = "<script>alert(1)</script>") -> Any:
    """A preview of sending an invoice that the application may not send by itself."""
    await agent.allow("100")
    invoice = await shop.draft(await shop.customer(name=name), line(await shop.price("1000")))
    preview = await agent.did("send_document", type="invoice", documentId=invoice["id"])
    fault = await agent.refused("APPROVAL_REQUIRED", "commit_preview", previewId=preview["previewId"])
    return preview | {"path": fault["details"]["approvalUrl"].removeprefix("http://ledgerbee.test")}


async def test_a_member_approves_on_a_page_what_is_shown_there(api: Api, database_url: str) -> None:
    agent, shop = await Agent.of(api, database_url), Shop(api)
    preview = await wanted(agent, shop)
    browser, person = await signed_in(api, "accountant")
    listed = await browser.open(f"/companies/{api.company_id}/connected-apps/commands")
    assert listed.status_code == 200
    assert preview["path"] in listed.text
    assert "1,250.00 DKK" in listed.text
    shown = await browser.open(preview["path"])
    assert shown.status_code == 200
    assert "<script>" not in shown.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown.text
    for text in ("Send a document", "6190", "1250.00 DKK", "1,250.00 DKK", "0.00 of 100.00 DKK", "Agent"):
        assert text in shown.text
    assert "frame-ancestors 'none'" in shown.headers["content-security-policy"]
    danish = await browser.open(preview["path"], headers={"accept-language": "da"}, params={"language": "da"})
    assert "Godkend" in danish.text
    assert "1.250,00 DKK" in danish.text

    # A form of another site, or without the page's token, decides nothing.
    for fields, headers in (
        ({"decision": "approved", "token": "0" * 64}, {}),
        ({"decision": "approved"}, {"origin": "https://evil.example"}),
        ({"decision": "approved"}, {"sec-fetch-site": "cross-site"}),
    ):
        assert (await browser.send(preview["path"], fields, headers=headers)).status_code == 400
        await browser.open(preview["path"])
    assert (await browser.send(preview["path"], {"decision": "else"})).status_code == 200
    await agent.refused("APPROVAL_REQUIRED", "commit_preview", previewId=preview["previewId"])
    done = await browser.send(preview["path"], {"decision": "approved"})
    assert done.status_code == 303
    await browser.open(preview["path"])
    assert (await browser.send(preview["path"], {"decision": "rejected"})).status_code == 409
    sent = await agent.commit(preview)
    assert sent["entries"][0]["postedBy"] == f"user:{agent.connection.user_id}"
    events = (await api.get(f"/v1/audit-events?objectId={preview['previewId']}")).json()["data"]
    assert [(one["type"], one["actor"]) for one in events] == [("staged_command.approved", f"user:{person.id}")]
    assert (await (await books_of(api)).verify_all()).entries == 1


async def test_who_may_not_do_it_himself_sees_no_page(api: Api, other_api: Api, database_url: str) -> None:
    agent, shop = await Agent.of(api, database_url), Shop(api)
    preview = await wanted(agent, shop)
    listed = f"/companies/{api.company_id}/connected-apps/commands"
    reader, _ = await signed_in(api, "read-only")
    assert "Nothing waits for you." in (await reader.open(listed)).text
    stranger, _ = await signed_in(other_api)
    for browser in (reader, stranger):
        for answer in (
            await browser.open(preview["path"]),
            await browser.send(preview["path"], {"decision": "approved", "token": token_of(browser)}),
        ):
            assert answer.status_code == 404
    assert (await stranger.open(listed)).status_code == 404
    # An application's token is no session, however it is shown.
    robot = Browser(api.http, dict.fromkeys(reader.cookies, agent.token), {"authorization": f"Bearer {agent.token}"})
    for answer in (await robot.open(preview["path"]), await robot.send(preview["path"], {"decision": "approved"})):
        assert (answer.status_code, "/sign-in" in answer.headers["location"]) == (303, True)
    owner, _ = await signed_in(api)
    assert preview["path"].rpartition("/")[0] in (
        await owner.open(f"/companies/{api.company_id}/connected-apps")
    ).text  # fmt: skip
    assert (await owner.open(f"{listed}/none")).status_code == 404
    await owner.open(preview["path"])
    assert (await owner.send(preview["path"], {"decision": "rejected"})).status_code == 303
    assert "Rejected." in (await owner.open(preview["path"])).text
    fault = await agent.refused("PREVIEW_INVALID_STATE", "commit_preview", previewId=preview["previewId"])
    assert fault["details"]["status"] == "rejected"


async def test_what_a_revoked_application_wanted_is_not_approved(api: Api, database_url: str) -> None:
    agent, shop = await Agent.of(api, database_url), Shop(api)
    preview = await wanted(agent, shop)
    owner, _ = await signed_in(api)
    assert "Approve" in (await owner.open(preview["path"])).text
    await api.run(lambda context: actions.revoke(context, agent.connection.id, EndReason.USER))
    late = await owner.send(preview["path"], {"decision": "approved"})
    assert late.status_code == 409
    for page in (late, await owner.open(preview["path"])):
        assert "The app has no access any more" in page.text
        assert 'value="approved"' not in page.text
    listed = await owner.open(f"/companies/{api.company_id}/connected-apps/commands")
    assert preview["path"] not in listed.text
