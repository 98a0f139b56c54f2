"""Applications that ask members for access, for tests: as one is written, by hand and without a library."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from tests.conftest import PUBLIC_URL, Api
from tests.people import Browser, Person, signed_in

from ledgerbee.core.ids import new_id
from ledgerbee.identity.connections import actions as connections
from ledgerbee.identity.connections.model import MCP_PATH, AppConnection, ConnectionId
from ledgerbee.identity.users.model import MembershipId, UserId
from ledgerbee.platform.context import Context

RESOURCE = f"{PUBLIC_URL}/api/v1/mcp"
CALLBACK = "http://127.0.0.1:54545/callback"


def new_verifier() -> str:
    return secrets.token_urlsafe(32)


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def query_of(answer: httpx.Response) -> dict[str, str]:
    """The parameters of the address that an answer leads to."""
    assert answer.status_code == 303, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


@dataclass
class Application:
    """An application: what it is called here, and what it asks for."""

    http: httpx.AsyncClient
    client_id: str
    redirect_uri: str = CALLBACK
    secret: str | None = None
    verifier: str = field(default_factory=new_verifier)

    def request(self, **changes: str | None) -> str:
        """The address of an authorization request; what is None is left out."""
        parameters = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": self.redirect_uri, "state": "a b&c",
            "code_challenge": challenge_of(self.verifier), "code_challenge_method": "S256", "resource": RESOURCE,
            **changes,
        }  # fmt: skip
        return "/oauth/authorize?" + urlencode({name: value for name, value in parameters.items() if value is not None})

    async def asks(self, browser: Browser, access: str = "full", **changes: str) -> str:
        """Have the member of the browser give access: the code that comes of it."""
        address = self.request(**changes)
        page = await browser.open(address)
        assert page.status_code == 200, page.text
        return query_of(await browser.send(address, {"decision": "allow", "access": access}))["code"]

    async def token(self, **form: str | None) -> httpx.Response:
        """A call of the token endpoint."""
        own = {"client_id": self.client_id, "client_secret": self.secret}
        body = {name: value for name, value in {**own, **form}.items() if value is not None}
        return await self.http.post("/api/v1/auth/token", data=body)

    async def exchanges(self, code: str, **changes: str | None) -> httpx.Response:
        form = {"code": code, "redirect_uri": self.redirect_uri, "code_verifier": self.verifier, **changes}
        return await self.token(grant_type="authorization_code", **form)

    async def refreshes(self, token: str, **changes: str | None) -> httpx.Response:
        return await self.token(grant_type="refresh_token", refresh_token=token, **changes)

    async def connects(self, browser: Browser, access: str = "full", **changes: str) -> dict[str, Any]:
        """The whole way: what the token endpoint answers."""
        answer = await self.exchanges(await self.asks(browser, access, **changes))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


async def registered(http: httpx.AsyncClient, **metadata: Any) -> Application:
    """An application that has registered itself, as a public client unless it says otherwise."""
    told = {
        "client_name": "Regnemester",
        "redirect_uris": ["http://127.0.0.1/callback"],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        **metadata,
    }
    answer = await http.post("/api/v1/oauth/register", json=told)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    uri = CALLBACK if "redirect_uris" not in metadata else metadata["redirect_uris"][0]
    return Application(http, body["client_id"], uri, body.get("client_secret"))


async def new_connection(api: Api) -> str:
    """An application that a member lets work in the company; whose it is doesn't matter here."""

    async def work(context: Context) -> str:
        connection = AppConnection(
            id=ConnectionId(new_id()),
            membership_id=MembershipId(new_id()),
            user_id=UserId(new_id()),
            client_id="https://claude.ai/oauth/claude-code-client-metadata",
            client_name="Claude Code",
            redirect_host="localhost:54545",
            resource=MCP_PATH,
            scopes=("invoices-read",),
            created_at=context.now,
        )
        await connections.connect(context, connection)
        return str(connection.id)

    return str(await api.run(work))


async def connected(api: Api, role: str = "owner", **changes: str) -> tuple[Application, dict[str, Any], Person]:
    """An application with access to the company, by a new member."""
    browser, person = await signed_in(api, role)
    application = await registered(api.http)
    return application, await application.connects(browser, **changes), person
