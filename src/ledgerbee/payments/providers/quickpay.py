"""QuickPay: subscriptions, which are saved cards, and recurring payments on them, by its HTTP API (v10).

Our reference is the `order_id` of what is made, which QuickPay takes once only. A refund has no such field: its
reference is in the address that QuickPay calls back to. Card data goes to QuickPay's own page.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from ledgerbee import __version__
from ledgerbee.payments.providers.addresses import is_page_address
from ledgerbee.payments.providers.model import (
    ANSWER_TIMEOUT_S,
    Access,
    Agreement,
    AgreementPage,
    AgreementRequest,
    AgreementStatus,
    ChargeRequest,
    ChargeStatus,
    Movement,
    ProviderCharge,
    ProviderDispute,
    ProviderEvent,
    ProviderRefund,
    ProviderRefusedError,
    ProviderUnclearError,
    RefundRequest,
    SignatureError,
)
from ledgerbee.payments.providers.quickpay_answers import (
    agreement_of,
    callback_with,
    charge_of,
    event_of,
    fields_of,
    id_of,
    is_authorized,
    minor_amount,
    movements_of,
    operations_of,
    refund_of,
    refund_with,
    window_language,
)

if TYPE_CHECKING:
    import ssl

    import httpx

OWN_URL: Final = "https://api.quickpay.net"
#: Bytes of an answer.
_MOST_ANSWER: Final = 1_000_000
#: Pages of a list, and payments on each; with a hundred operations of each, where a list would leave some out.
_MOST_PAGES: Final = 100
_PAGE: Final = 100
#: Characters of a subscription's description.
_LONGEST_DESCRIPTION: Final = 100
_ID: Final = re.compile(r"[0-9]{1,18}")
#: Characters of an order id.
_MIN_ORDER_ID: Final = 4
_MAX_ORDER_ID: Final = 20
#: Answers that don't say whether anything was done: as those of 500 and above.
_UNCLEAR: Final = frozenset({408, 409, 425, 429})


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: object

    @property
    def object(self) -> dict[str, Any]:
        """The object that was answered. Raises `ProviderUnclearError`."""
        if not isinstance(self.body, dict):
            raise ProviderUnclearError("QuickPay's answer can't be understood")
        return self.body

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The list that was answered. Raises `ProviderUnclearError`."""
        if not isinstance(self.body, list) or not all(isinstance(one, dict) for one in self.body):
            raise ProviderUnclearError("QuickPay's answer can't be understood")
        return self.body


class QuickPay:
    """QuickPay's account of a company."""

    key_names: tuple[str, ...] = ("apiKey", "privateKey")
    optional_key_names: tuple[str, ...] = ()

    def __init__(self, base_url: str = OWN_URL, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        self.base_url = base_url.rstrip("/")
        self.timeout_s = timeout_s

    async def start_agreement(self, access: Access, asked: AgreementRequest) -> AgreementPage:
        """A subscription, and the page on which its card is entered. One that an earlier try made is used again."""
        body = {
            "order_id": asked.reference,
            "currency": asked.currency,
            "description": asked.customer_name[:_LONGEST_DESCRIPTION] or asked.reference,
        }
        made = await self._ask(access, "POST", "/subscriptions", body, callback=asked.callback_url, may=(400,))
        subscription = made.object if made.status != HTTPStatus.BAD_REQUEST else None
        if subscription is None:
            subscription = await self._find_by_order_id(access, "/subscriptions", asked.reference)
        if subscription is None:
            raise _refused(made)
        subscription_id = id_of(subscription)
        page = {
            "amount": 0,
            "language": window_language(asked.language),
            "continue_url": asked.return_url,
            "cancel_url": asked.cancel_url,
            "callback_url": asked.callback_url,
        }
        link = (await self._ask(access, "PUT", f"/subscriptions/{subscription_id}/link", page)).object
        if not isinstance(url := link.get("url"), str) or not url:
            raise ProviderUnclearError("QuickPay's answer has no url")
        if not is_page_address(url):
            raise ProviderUnclearError("QuickPay's page has no address that a browser may open")
        return AgreementPage(url=url, provider_id=str(subscription_id))

    async def find_agreement(self, access: Access, provider_id: str) -> Agreement | None:
        """How a subscription stands."""
        found = await self._get(access, "/subscriptions", provider_id)
        return None if found is None else agreement_of(found)

    async def cancel_agreement(self, access: Access, agreement_id: str) -> None:
        """Cancel a subscription."""
        if _ID.fullmatch(agreement_id) is None:
            return
        path = f"/subscriptions/{agreement_id}/cancel"
        answer = await self._ask(access, "POST", path, {}, may=(400, 404))
        if answer.status == HTTPStatus.BAD_REQUEST:
            # Of one that was cancelled before QuickPay says that it can't be.
            found = await self.find_agreement(access, agreement_id)
            if found is not None and found.status is not AgreementStatus.CANCELLED:
                raise _refused(answer)

    async def charge(self, access: Access, asked: ChargeRequest) -> ProviderCharge:
        """A recurring payment on a subscription, captured as soon as it is authorized; mostly it is `pending` at first.

        A reference that QuickPay has already is answered as `find_charge` does.
        """
        if _ID.fullmatch(asked.agreement_id) is None:
            raise ProviderRefusedError("That is no subscription of QuickPay's")
        # Without a text for the statement: acquirers decline those that they haven't approved (Clearhaus' code 40150).
        body = {
            "order_id": asked.reference,
            "amount": minor_amount(asked.amount, asked.currency),
            "auto_capture": True,
        }
        path = f"/subscriptions/{asked.agreement_id}/recurring"
        answer = await self._ask(access, "POST", path, body, callback=asked.callback_url, may=(400,))
        if answer.status != HTTPStatus.BAD_REQUEST:
            return await self._standing(access, answer.object, asked.reference)
        if "order_id" not in fields_of(answer.body) or not _MIN_ORDER_ID <= len(asked.reference) <= _MAX_ORDER_ID:
            raise _refused(answer)
        # It has a payment of that reference, whether it shows it yet or not.
        if (found := await self._find_by_order_id(access, "/payments", asked.reference)) is None:
            raise ProviderUnclearError("QuickPay has another request with this reference")
        return await self._standing(access, found, asked.reference)

    async def find_charge(
        self, access: Access, reference: str, provider_id: str | None, agreement_id: str
    ) -> ProviderCharge | None:
        """A payment, by its id or else by its order id.

        An account that has no such subscription is another one than was asked to charge, and can't say.
        """
        found = None if provider_id is None else await self._get(access, "/payments", provider_id)
        if found is None:
            found = await self._find_by_order_id(access, "/payments", reference)
        if found is not None:
            return await self._standing(access, found, reference)
        if await self._get(access, "/subscriptions", agreement_id) is None:
            raise ProviderUnclearError("QuickPay's account is another one: it doesn't have the card that was charged")
        return None

    async def cancel_charge(self, access: Access, reference: str, provider_id: str) -> None:  # noqa: ARG002
        """Cancel a payment that was authorized and not captured; QuickPay refuses that of any other."""
        if _ID.fullmatch(provider_id) is None:
            raise ProviderRefusedError("That is no payment of QuickPay's")
        await self._ask(access, "POST", f"/payments/{provider_id}/cancel", {})

    async def refund(self, access: Access, asked: RefundRequest) -> ProviderRefund:
        """Give back an amount of a payment; mostly it is `pending` at first."""
        if _ID.fullmatch(asked.charge_id) is None:
            raise ProviderRefusedError("That is no payment of QuickPay's")
        callback = callback_with(asked.callback_url, asked.reference)
        body = {"amount": minor_amount(asked.amount, asked.currency)}
        payment = (await self._ask(access, "POST", f"/payments/{asked.charge_id}/refund", body, callback)).object
        if (found := refund_with(payment, asked.reference)) is not None:
            return found
        refunds = [one for one in operations_of(payment) if one.get("type") == "refund"]
        if not refunds:
            raise ProviderUnclearError("QuickPay's answer has no refund")
        return refund_of(payment, refunds[-1])

    async def find_refund(self, access: Access, charge_id: str, reference: str) -> ProviderRefund | None:
        """The refund of a payment whose callback's address has our reference."""
        payment = await self._get(access, "/payments", charge_id)
        return None if payment is None else refund_with(payment, reference)

    async def find_dispute(self, access: Access, provider_id: str) -> ProviderDispute | None:  # noqa: ARG002
        """None: disputes are the acquirer's, and QuickPay doesn't tell them."""
        return None

    async def movements(self, access: Access, since: datetime, until: datetime) -> AsyncIterator[Movement]:
        """What was captured and given back from `since` until before `until`. Payouts and fees are the acquirer's."""
        asked: dict[str, str | int] = {
            "timestamp": "updated_at",
            "min_time": since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S +0000"),
            "sort_by": "id",
            "sort_dir": "asc",
            "operations_size": _PAGE,
            "page_size": _PAGE,
        }
        found: list[Movement] = []
        for page in range(1, _MOST_PAGES + 1):
            answer = await self._ask(access, "GET", "/payments", query={**asked, "page": page})
            payments = answer.objects
            found += [
                movement for payment in payments for movement in movements_of(payment) if since <= movement.at < until
            ]
            if len(payments) < _PAGE:
                break
        else:
            raise ProviderUnclearError(f"QuickPay's list has more than {_MOST_PAGES * _PAGE} entries")
        # Pages move while somebody pays: what came twice is one.
        for movement in sorted({one.provider_id: one for one in found}.values(), key=lambda one: one.at):
            yield movement

    def read_event(self, access: Access, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        """What a callback says; its checksum is over the body, byte for byte, by the account's private key."""
        told = {name.lower(): value for name, value in headers.items()}
        key, checksum = access.keys.get("privateKey", ""), told.get("quickpay-checksum-sha256", "")
        expected = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
        if not key or not hmac.compare_digest(expected.encode(), checksum.lower().encode("utf-8", "replace")):
            raise SignatureError("The callback has no valid checksum of QuickPay's")
        try:
            return event_of(_parsed(body), told.get("quickpay-resource-type"))
        except (ProviderUnclearError, TypeError, ValueError):
            raise ProviderRefusedError("The callback is none that QuickPay documents") from None

    # Asking

    async def _standing(self, access: Access, payment: Mapping[str, Any], reference: str) -> ProviderCharge:
        """A charge. What is authorized and could not be captured is cancelled before it is told as failed: somebody
        could capture it later, when it was charged anew here.

        A payment that was rejected has nothing to cancel or capture, and its order id is taken for ever. What isn't of
        our reference is left alone. Raises `ProviderUnclearError` where it isn't cancelled.
        """
        charge = charge_of(payment)
        is_open = charge.status is ChargeStatus.FAILED and is_authorized(payment)
        if not is_open or charge.reference != reference:
            return charge
        unclear = ProviderUnclearError("QuickPay doesn't cancel a charge that failed")
        try:
            # It refuses what was decided meanwhile, or is being cancelled.
            await self._ask(access, "POST", f"/payments/{charge.provider_id}/cancel", {}, may=(400,))
            found = await self._get(access, "/payments", charge.provider_id)
        except ProviderRefusedError:  # no refusal of the charge
            raise unclear from None
        if found is None:
            raise unclear
        after = charge_of(found)
        if after.status is ChargeStatus.FAILED and is_authorized(found):
            raise unclear
        return after

    async def _get(self, access: Access, path: str, object_id: str) -> dict[str, Any] | None:
        """An object by its id; None where there is none."""
        if _ID.fullmatch(object_id) is None:
            return None
        answer = await self._ask(access, "GET", f"{path}/{object_id}", may=(404,))
        return None if answer.status == HTTPStatus.NOT_FOUND else answer.object

    async def _find_by_order_id(self, access: Access, path: str, reference: str) -> dict[str, Any] | None:
        """An object by our reference, in whole: lists may leave operations out."""
        answer = await self._ask(access, "GET", path, query={"order_id": reference})
        listed = [one for one in answer.objects if one.get("order_id") == reference]
        if not listed:
            return None
        if (found := await self._get(access, path, str(id_of(listed[-1])))) is None:
            raise ProviderUnclearError("QuickPay lists what it says that it doesn't have")
        return found

    async def _ask(
        self,
        access: Access,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        callback: str | None = None,
        *,
        query: Mapping[str, str | int] | None = None,
        may: tuple[int, ...] = (),
    ) -> _Answer:
        """One question: a 2xx with JSON, or one of the refusals that whoever asks may look at.

        Raises `ProviderUnclearError` for what doesn't say whether anything was done, `ProviderRefusedError` for other
        refusals.
        """
        import httpx  # noqa: PLC0415  a start of the program doesn't pay for it

        headers = {
            "accept": "application/json",
            "accept-encoding": "identity",  # what comes in is counted as it comes in
            "accept-version": "v10",
            "authorization": f"Basic {base64.b64encode(f':{_key(access)}'.encode()).decode()}",
            "user-agent": f"ledgerbee/{__version__}",
            **({"quickpay-callback-url": callback} if callback is not None else {}),
        }
        try:
            async with (
                asyncio.timeout(self.timeout_s),
                httpx.AsyncClient(timeout=self.timeout_s, follow_redirects=False, verify=_certificates()) as http,
                http.stream(method, f"{self.base_url}{path}", params=query, json=body, headers=headers) as answer,
            ):
                status, content = answer.status_code, await _read(answer)
        except TimeoutError:
            raise ProviderUnclearError(f"QuickPay didn't answer within {self.timeout_s:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            raise ProviderUnclearError(f"QuickPay can't be reached: {type(fault).__name__}") from None
        if status in _UNCLEAR or not (200 <= status < 300 or 400 <= status < 500):
            raise ProviderUnclearError(f"QuickPay answers {status}")
        try:
            told = _Answer(status, _parsed(content))
        except ValueError:
            raise ProviderUnclearError(f"QuickPay answers {status}, and what can't be understood") from None
        if status >= 400 and status not in may:
            raise _refused(told)
        return told


@cache
def _certificates() -> "ssl.SSLContext":
    """Whom to trust: reading it takes longer than asking."""
    import httpx  # noqa: PLC0415  it is loaded already

    return httpx.create_ssl_context()


async def _read(answer: "httpx.Response") -> bytes:
    """A body. Raises `ProviderUnclearError` for one that is longer than is read, or in an encoding."""
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise ProviderUnclearError("QuickPay answers in an encoding that was not asked for")
    content = bytearray()
    async for part in answer.aiter_raw():
        content += part
        if len(content) > _MOST_ANSWER:
            raise ProviderUnclearError(f"QuickPay answers with more than {_MOST_ANSWER} bytes")
    return bytes(content)


def _parsed(content: bytes) -> object:
    """JSON. Raises `ValueError`."""
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _key(access: Access) -> str:
    if not (key := access.keys.get("apiKey", "")).strip():
        raise ProviderRefusedError("QuickPay's API key is missing")
    return key


def _refused(answer: _Answer) -> ProviderRefusedError:
    """A refusal, with the fields that it names. What it says is not passed on."""
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return ProviderRefusedError("QuickPay doesn't accept the API key")
    if answer.status == HTTPStatus.FORBIDDEN:
        return ProviderRefusedError("The API key may not do this at QuickPay")
    if answer.status == HTTPStatus.NOT_FOUND:
        return ProviderRefusedError("QuickPay doesn't have that")
    fields = fields_of(answer.body)
    words = f"QuickPay refuses the request ({answer.status})"
    return ProviderRefusedError(f"{words}: {', '.join(fields)}" if fields else words)
