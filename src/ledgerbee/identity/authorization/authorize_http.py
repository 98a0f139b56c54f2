"""Where a member is asked whether an application may work in a company: `/oauth/authorize` (OAuth 2.1, 4.1).

A GET shows and changes nothing. Whatever is wrong with who asks, or with where the answer is to go, is told to the
person and to nobody else; all else is answered to the application, once somebody has signed in: nobody is led to
another site by a link alone. The request stands in the page's address, and is read anew when the form comes.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response

from ledgerbee.http.caller import Caller
from ledgerbee.identity.authorization import clients
from ledgerbee.identity.authorization.actions import agree
from ledgerbee.identity.authorization.model import (
    Access,
    AuthorizationRequest,
    ClientRefusedError,
    RequestRefusedError,
)
from ledgerbee.identity.authorization.rules import redirects, requests, scopes
from ledgerbee.identity.authorization.rules.resources import issuer_of
from ledgerbee.identity.authorization.texts import TEXTS
from ledgerbee.identity.connections.model import DAILY_LIMIT
from ledgerbee.identity.connections.scope_words import shown_amount, words_of
from ledgerbee.identity.pages.addresses import base_url_of, edge_of, path_of
from ledgerbee.identity.pages.page import message_page, page_language, render_page, translator
from ledgerbee.identity.pages.serving import not_found, serve
from ledgerbee.identity.sign_in.model import CompanyOfUser, UserSession
from ledgerbee.identity.sign_in.sessions import (
    as_member,
    companies_of,
    session_form,
    session_of,
    sign_in_redirect,
)
from ledgerbee.identity.users.model import MembershipId
from ledgerbee.identity.users.rules import SCOPES_OF
from ledgerbee.platform.context import Context

router = APIRouter(include_in_schema=False)

_PATH: Final = "/oauth/authorize"
_PACKAGE: Final = "ledgerbee.identity.authorization"


@router.get(_PATH)
async def ask_member(request: Request) -> Response:
    """The page that asks, or that says why it doesn't."""

    async def answer() -> Response:
        page = await _Page.of(request)
        return page if isinstance(page, Response) else await page.show()

    return await serve(request, answer)


@router.post(_PATH)
async def take_answer(request: Request) -> Response:
    """Take the member's answer to the application: a code, or that it was refused."""

    async def answer() -> Response:
        page = await _Page.of(request)
        return page if isinstance(page, Response) else await page.take(await session_form(request, page.session))

    return await serve(request, answer)


class _Page:
    """A good request, of somebody who has signed in."""

    def __init__(
        self, request: Request, session: UserSession, asked: AuthorizationRequest, companies: Sequence[CompanyOfUser]
    ) -> None:
        self.request = request
        self.session = session
        self.asked = asked
        self.companies = companies

    @classmethod
    async def of(cls, request: Request) -> "_Page | Response":
        """The page of a request; what is answered where there is none."""
        parameters, twice = requests.read_parameters(request.query_params.multi_items())
        cells = edge_of(request).cells
        try:
            client_id = requests.client_id_of(parameters, twice)
            session = await session_of(request)
            if session is None:
                # Strangers don't have us fetch documents; what is wrong without one they may be told.
                if "://" not in client_id:
                    requests.redirect_uri_of(parameters, twice, await clients.find(client_id, cells))
                return sign_in_redirect(request)
            client = await clients.find(client_id, cells)
            redirect_uri = requests.redirect_uri_of(parameters, twice, client)
        except clients.UnreachableDocumentError:
            return message_page(request, "no_document", "no_document_text", texts=TEXTS, status=400)
        except ClientRefusedError:
            return message_page(request, "unknown_client", "unknown_client_text", texts=TEXTS, status=400)
        try:
            asked = requests.read_request(parameters, twice, client, base_url_of(request))
        except RequestRefusedError as fault:
            state = requests.state_of(parameters, twice)
            return _answer(request, redirect_uri, state=state, error=fault.error, error_description=fault.description)
        return cls(request, session, asked, await companies_of(request, session))

    async def show(self) -> Response:
        """Ask where to work, if that is open, then for what."""
        if not self.companies:
            return self._impossible("no_company")
        company = self._company(self.request.query_params.get("company"))
        if company is not None:
            return self._consent(company)
        if self.asked.company_id is not None:
            return self._impossible("not_your_company")
        values = {
            "client": self.asked.client,
            "companies": self.companies,
            "parameters": self._parameters(),
            "action": self._address(),
        }
        return render_page(
            self.request, f"{_PACKAGE}/choose.html", TEXTS, values, viewer=self.session, form_targets=self._target
        )

    async def take(self, form: dict[str, str]) -> Response:
        """Answer the application as the form says."""
        if form.get("decision") != "allow":
            return self._send(error="access_denied", error_description="The member has refused")
        company = self._company(form.get("company"))
        if company is None:
            return not_found(self.request)
        access = form.get("access")
        if access not in set(Access):
            return self._consent(company, "choose_access")

        async def run(caller: Caller) -> Response:
            # What the credential has, and not what the page showed: the role may be another by now.
            granted = scopes.granted(self.asked.scopes, caller.principal.scopes, Access(access))
            if not granted:
                return self._impossible("nothing_allowed", company=company.name)
            membership = MembershipId(caller.principal.subject_id)

            async def work(context: Context) -> Response:
                code = await agree(context, self.asked, granted, membership, self.session.user_id)
                return self._send(code=code)

            return await caller.command(work)

        done = await as_member(self.request, self.session, company.company_id, run)
        return not_found(self.request) if done is None else done

    def _consent(self, company: CompanyOfUser, notice: str | None = None) -> Response:
        granted = scopes.granted(self.asked.scopes, SCOPES_OF[company.role], Access.FULL)
        if not granted:
            return self._impossible("nothing_allowed", company=company.name)
        reads = scopes.granted(granted, SCOPES_OF[company.role], Access.READ)
        language = page_language(self.request, self.session)
        uri = self.asked.redirect_uri
        is_own_scheme = not uri.startswith(("https:", "http:"))
        has_choice = self.asked.company_id is None and len(self.companies) > 1
        values = {
            "client": self.asked.client,
            "host": redirects.shown_host(uri),
            "warning": "loopback" if redirects.is_loopback(uri) else "own_scheme" if is_own_scheme else None,
            "company": company,
            "change": self._address() if has_choice else None,
            "action": self._address(company=str(company.company_id)),
            "reads": [words_of(scope, language) for scope in reads],
            "writes": [words_of(scope, language) for scope in granted if scope not in reads],
            "limit": shown_amount(DAILY_LIMIT, language),
            "notice": notice,
        }
        return render_page(
            self.request,
            f"{_PACKAGE}/consent.html",
            TEXTS,
            values,
            viewer=self.session,
            form_targets=self._target,
            status=400 if notice else 200,
        )

    def _impossible(self, reason: str, **values: str) -> Response:
        text = translator(TEXTS, page_language(self.request, self.session))(reason, **values)
        return render_page(
            self.request,
            f"{_PACKAGE}/impossible.html",
            TEXTS,
            {"reason": text, "action": self._address()},
            viewer=self.session,
            form_targets=self._target,
            status=403,
        )

    def _company(self, chosen: str | None) -> CompanyOfUser | None:
        """The company that is asked about: that of the address, the chosen one, the only one; None: to be chosen."""
        wanted = self.asked.company_id or _uuid(chosen)
        if wanted is None and len(self.companies) == 1:
            return self.companies[0]
        return next((one for one in self.companies if one.company_id == wanted), None)

    @property
    def _target(self) -> str:
        return redirects.policy_source(self.asked.redirect_uri)

    def _parameters(self) -> dict[str, str]:
        return requests.read_parameters(self.request.query_params.multi_items())[0]

    def _address(self, **more: str) -> str:
        return f"{path_of(self.request, _PATH)}?{urlencode({**self._parameters(), **more})}"

    def _send(self, **parameters: str) -> Response:
        return _answer(self.request, self.asked.redirect_uri, state=self.asked.state, **parameters)


def _answer(request: Request, redirect_uri: str, **parameters: str | None) -> Response:
    """Lead the browser to the application with an answer, which says whose it is (RFC 9207)."""
    location = redirects.answer_uri(redirect_uri, **parameters, iss=issuer_of(base_url_of(request)))
    headers = {"Location": location, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return Response(status_code=303, headers=headers)


def _uuid(text: str | None) -> UUID | None:
    return clients.uuid_of(text) if text else None
