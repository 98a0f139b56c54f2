"""Stripe: cards saved on its Checkout page, charged by payment intents that nobody attends, through its own SDK.

An agreement's id is that of a Checkout session (`cs_...`) while the card is being saved, and then those of the customer
and the payment method at Stripe (`cus_.../pm_...`): both are needed for a charge, and the first for finding one. Each
agreement has a customer of its own there. Charges are payment intents (`pi_...`).

Our reference is in the metadata of all that is made, and is the idempotency key of the request that makes it.
"""

import asyncio
import json
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ledgerbee.payments.providers.addresses import is_page_address
from ledgerbee.payments.providers.model import (
    ANSWER_TIMEOUT_S,
    Access,
    Agreement,
    AgreementPage,
    AgreementRequest,
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
from ledgerbee.payments.providers.stripe_answers import (
    NOT_CONFIRMED,
    agreement_of_method,
    agreement_of_session,
    charge_of,
    checkout_language,
    declined_intent,
    dispute_of,
    error_of,
    event_of,
    is_ended,
    minor_amount,
    movement_of,
    reference_of,
    refund_of,
    statement_suffix,
    text_of,
    was_left,
)

if TYPE_CHECKING:
    import stripe
    from stripe.params import CustomerCreateParams, PaymentIntentCreateParams

# At level INFO the SDK says what errors say, parts of keys included, and at DEBUG whole bodies.
logging.getLogger("stripe").setLevel(logging.WARNING)

#: Answers to one question that lists things, each of at most a hundred: more is not read.
_MOST_PAGES: Final = 100
_PAGE: Final = 100
#: Seconds that a signature is valid for, as Stripe's libraries have it.
_TOLERANCE_S: Final = 300

_AGREEMENT: Final = re.compile(r"(cus_[A-Za-z0-9_]+)/((?:pm|card|src)_[A-Za-z0-9_]+)")
#: What comes of an answer that isn't what Stripe documents, within the SDK and here.
_GARBAGE: Final = (AttributeError, KeyError, TypeError, ValueError, RecursionError)


class Stripe:
    """Stripe's account of a company. `base_url` is that of another server than Stripe's own."""

    key_names: tuple[str, ...] = ("secretKey", "webhookSecret")
    optional_key_names: tuple[str, ...] = ()

    def __init__(self, base_url: str | None = None, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        self.base_url = base_url
        self.timeout_s = timeout_s

    async def start_agreement(self, access: Access, asked: AgreementRequest) -> AgreementPage:
        """A Checkout session that saves a card of a new customer. `callback_url` is not told: Stripe's webhooks are set
        up at the account."""
        metadata = {"reference": asked.reference}
        async with self._client(access) as client:
            owner: CustomerCreateParams = {"name": asked.customer_name, "metadata": metadata}
            if asked.email is not None:
                owner["email"] = asked.email
            key = f"{asked.reference}-customer"
            customer = await self._answer(client.v1.customers.create_async(owner, {"idempotency_key": key}))
            session = await self._answer(
                client.v1.checkout.sessions.create_async(
                    {
                        "mode": "setup",
                        "customer": text_of(customer, "id"),
                        "allowed_payment_method_types": ["card"],
                        "locale": checkout_language(asked.language),
                        "success_url": asked.return_url,
                        "cancel_url": asked.cancel_url,
                        "client_reference_id": asked.reference,
                        "metadata": metadata,
                        "setup_intent_data": {"metadata": metadata},
                    },
                    {"idempotency_key": asked.reference},
                )
            )
            if not is_page_address(url := text_of(session, "url")):
                raise ProviderUnclearError("Stripe's page has no address that a browser may open")
            return AgreementPage(url=url, provider_id=text_of(session, "id"))

    async def find_agreement(self, access: Access, provider_id: str) -> Agreement | None:
        """The card of a Checkout session or of a customer; a card that was taken off the customer is cancelled."""
        async with self._client(access) as client:
            if provider_id.startswith("cs_"):
                session = await self._find(
                    client.v1.checkout.sessions.retrieve_async(provider_id, {"expand": ["setup_intent.payment_method"]})
                )
                return None if session is None else agreement_of_session(session)
            if (ids := _AGREEMENT.fullmatch(provider_id)) is None:
                return None
            method = await self._find(client.v1.payment_methods.retrieve_async(ids[2]))
            return None if method is None else agreement_of_method(method, ids[1])

    async def cancel_agreement(self, access: Access, agreement_id: str) -> None:
        """Take the card off the customer."""
        if (ids := _AGREEMENT.fullmatch(agreement_id)) is None:
            return
        async with self._client(access) as client:
            import stripe  # noqa: PLC0415  it is loaded already

            try:
                await self._answer(client.v1.payment_methods.detach_async(ids[2]))
            except stripe.InvalidRequestError:
                # A card that is on no customer is refused without a code of its own.
                method = await self._find(client.v1.payment_methods.retrieve_async(ids[2]))
                if method is not None and method.get("customer") is not None:
                    raise

    async def charge(self, access: Access, asked: ChargeRequest) -> ProviderCharge:
        """A payment intent, confirmed at once, without the card's owner.

        Raises `ProviderRefusedError` for an amount that Stripe can't count, too.
        """
        if (ids := _AGREEMENT.fullmatch(asked.agreement_id)) is None:
            raise ProviderRefusedError("That is no saved card of Stripe's")
        wanted: PaymentIntentCreateParams = {
            "amount": minor_amount(asked.amount, asked.currency),
            "currency": asked.currency.lower(),
            "customer": ids[1],
            "payment_method": ids[2],
            # Nothing that would send its owner elsewhere, which would need an address to return to.
            "allowed_payment_method_types": ["card"],
            # The fee is known at once; captured later, it would be some time after.
            "capture_method": "automatic",
            "confirm": True,
            "off_session": True,
            "metadata": {"reference": asked.reference},
            "expand": ["latest_charge.balance_transaction"],
        }
        if asked.text:
            wanted["description"] = asked.text
        if suffix := statement_suffix(asked.text):
            wanted["statement_descriptor_suffix"] = suffix
        async with self._client(access) as client:
            import stripe  # noqa: PLC0415  it is loaded already

            try:
                intent = await self._answer(
                    client.v1.payment_intents.create_async(wanted, {"idempotency_key": asked.reference})
                )
            except stripe.CardError as declined:
                if (intent_told := declined_intent(declined.json_body)) is None:
                    try:
                        found = await self._find_by_reference(client, ids[1], asked.reference)
                    except stripe.StripeError:  # no refusal of the charge
                        found = None
                    if found is None:
                        raise ProviderUnclearError("Stripe declined a charge that it doesn't show") from None
                    return found
                intent = intent_told
            return await self._standing(client, intent, asked.reference)

    async def find_charge(
        self, access: Access, reference: str, provider_id: str | None, agreement_id: str
    ) -> ProviderCharge | None:
        """The payment intent of that id, or else that of the agreement's customer with our reference.

        Stripe's search would find references too, but shows new ones only some time later: the list has them at once.
        """
        async with self._client(access) as client:
            if provider_id is not None:
                found = await self._find(
                    client.v1.payment_intents.retrieve_async(
                        provider_id, {"expand": ["latest_charge.balance_transaction"]}
                    )
                )
                if found is not None:
                    return await self._standing(client, found, reference)
            if (ids := _AGREEMENT.fullmatch(agreement_id)) is None:
                return None
            return await self._find_by_reference(client, ids[1], reference)

    async def cancel_charge(self, access: Access, reference: str, provider_id: str) -> None:  # noqa: ARG002
        """Cancel a payment intent. Stripe refuses it of one that was decided, a cancelled one too."""
        async with self._client(access) as client:
            await self._answer(client.v1.payment_intents.cancel_async(provider_id))

    async def refund(self, access: Access, asked: RefundRequest) -> ProviderRefund:
        """Give back an amount of a payment intent."""
        amount = minor_amount(asked.amount, asked.currency)
        async with self._client(access) as client:
            made = await self._answer(
                client.v1.refunds.create_async(
                    {
                        "payment_intent": asked.charge_id,
                        "amount": amount,
                        "metadata": {"reference": asked.reference},
                    },
                    {"idempotency_key": asked.reference},
                )
            )
            return refund_of(made, asked.charge_id)

    async def find_refund(self, access: Access, charge_id: str, reference: str) -> ProviderRefund | None:
        """The refund of a payment intent that has our reference."""
        async with self._client(access) as client:
            refunds = await self._all(client.v1.refunds.list_async, {"payment_intent": charge_id})
            found = [one for one in refunds if reference_of(one) == reference]
            return refund_of(found[0], charge_id) if found else None

    async def find_dispute(self, access: Access, provider_id: str) -> ProviderDispute | None:
        """A dispute (`dp_...`, `du_...`); its charge is the payment intent."""
        async with self._client(access) as client:
            found = await self._find(client.v1.disputes.retrieve_async(provider_id))
            return None if found is None else dispute_of(found)

    async def movements(self, access: Access, since: datetime, until: datetime) -> AsyncIterator[Movement]:
        """Balance transactions from `since` until before `until`, to the second.

        Those that an automatic payout within the same time paid out have its id; Stripe doesn't tell it of payouts that
        somebody made by hand.
        """
        async with self._client(access) as client:
            created = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
            found = await self._all(
                client.v1.balance_transactions.list_async, {"created": created, "expand": ["data.source"]}
            )
            payouts: dict[str, str] = {}
            for one in found:
                source = one.get("source")
                if one.get("type") == "payout" and isinstance(source, dict) and source.get("automatic") is True:
                    payout_id = text_of(source, "id")
                    paid = await self._all(client.v1.balance_transactions.list_async, {"payout": payout_id})
                    payouts |= {text_of(part, "id"): payout_id for part in paid if part.get("type") != "payout"}
            moved = [movement_of(one, payouts.get(text_of(one, "id"))) for one in reversed(found)]
        for movement in moved:
            yield movement

    def read_event(self, access: Access, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        """What a webhook says. A signature is valid for five minutes."""
        import stripe  # noqa: PLC0415  a start of the program doesn't pay for it

        signature = next((value for name, value in headers.items() if name.lower() == "stripe-signature"), None)
        secret = access.keys.get("webhookSecret", "")
        try:
            stripe.WebhookSignature.verify_header(body, signature, secret, _TOLERANCE_S)
        except (stripe.SignatureVerificationError, TypeError, ValueError):  # the latter of what is no UTF-8 or ASCII
            raise SignatureError("The event has no valid signature of Stripe's") from None
        try:
            return event_of(json.loads(body))
        except (*_GARBAGE, ProviderUnclearError):
            raise ProviderRefusedError("The event is none that Stripe documents") from None

    # Asking

    @asynccontextmanager
    async def _client(self, access: Access) -> AsyncIterator["stripe.StripeClient"]:
        """The SDK for one question. What it raises becomes an error of ours, and nothing that it says is passed on."""
        # A start of the program doesn't pay for them.
        import stripe  # noqa: PLC0415

        from ledgerbee.payments.providers.stripe_http import StripeHttp, client_of  # noqa: PLC0415

        secret = access.keys.get("secretKey", "")
        if not secret.isascii() or not secret.isprintable() or not secret.strip():
            raise ProviderRefusedError("Stripe's secret key is missing, or none that Stripe gives out")
        http = StripeHttp(self.timeout_s)
        client = client_of(secret, self.base_url, http)
        try:
            yield client
        except stripe.StripeError as fault:
            raise error_of(fault.http_status, fault.json_body) from None
        except _GARBAGE:
            raise ProviderUnclearError("Stripe's answer can't be understood") from None
        finally:
            await http.close_async()

    async def _answer(self, question: Awaitable[object]) -> dict[str, Any]:
        """The object that is answered."""
        import stripe  # noqa: PLC0415  it is loaded already

        try:
            async with asyncio.timeout(self.timeout_s):
                answer = await question
        except TimeoutError:
            raise ProviderUnclearError(f"Stripe didn't answer within {self.timeout_s:g} seconds") from None
        if not isinstance(answer, stripe.StripeObject):
            raise ProviderUnclearError("Stripe's answer can't be understood")
        return answer.to_dict()

    async def _find(self, question: Awaitable[object]) -> dict[str, Any] | None:
        """The object that is answered; None where Stripe says that it has none."""
        import stripe  # noqa: PLC0415  it is loaded already

        try:
            return await self._answer(question)
        except stripe.InvalidRequestError as fault:
            if fault.http_status == 404:
                return None
            raise

    async def _all(self, listing: Any, asked: Mapping[str, object]) -> list[dict[str, Any]]:
        """All of a list, newest first. Raises `ProviderUnclearError` for one that is longer than is read."""
        found: list[dict[str, Any]] = []
        async for page in self._pages(listing, asked):
            found += page
        return found

    async def _pages(self, listing: Any, asked: Mapping[str, object]) -> AsyncGenerator[list[dict[str, Any]]]:
        after: dict[str, object] = {}
        for _ in range(_MOST_PAGES):
            answer = await self._answer(listing({**asked, **after, "limit": _PAGE}))
            page = answer.get("data")
            if not isinstance(page, list):
                raise ProviderUnclearError("Stripe's answer can't be understood")
            yield page
            if not page or answer.get("has_more") is not True:
                return
            after = {"starting_after": text_of(page[-1], "id")}
        raise ProviderUnclearError(f"Stripe's list has more than {_MOST_PAGES * _PAGE} entries")

    async def _standing(
        self, client: "stripe.StripeClient", intent: Mapping[str, Any], reference: str
    ) -> ProviderCharge:
        """A charge, ended at Stripe before it is told as failed: a declined payment intent waits for another try, and
        might succeed when it was charged anew here.

        One that would stay as it is for ever is ended too: its owner would have to confirm it and can nowhere, or the
        request that made it broke off before it was put to the bank. What isn't of our reference is left alone.
        """
        charge = charge_of(intent)
        is_confirmable = charge.status is not ChargeStatus.REQUIRES_ACTION or charge.action_url is not None
        is_open = charge.status is ChargeStatus.FAILED and not is_ended(intent)
        to_end = is_open or not is_confirmable or was_left(intent, datetime.now(UTC))
        if not to_end or charge.reference != reference:
            return charge
        found = charge_of(await self._ended(client, charge.provider_id))
        if found.status is not ChargeStatus.FAILED:
            return found
        return replace(found, decline=(charge.decline or found.decline) if is_confirmable else NOT_CONFIRMED)

    async def _ended(self, client: "stripe.StripeClient", intent_id: str) -> dict[str, Any]:
        """A payment intent after it was cancelled, or as it was decided meanwhile.

        Raises `ProviderUnclearError` where Stripe doesn't say, or where it failed and may still succeed.
        """
        import stripe  # noqa: PLC0415  it is loaded already

        try:
            try:
                ended = await self._answer(client.v1.payment_intents.cancel_async(intent_id))
            except stripe.InvalidRequestError:  # it was decided meanwhile
                ended = await self._answer(
                    client.v1.payment_intents.retrieve_async(
                        intent_id, {"expand": ["latest_charge.balance_transaction"]}
                    )
                )
        except stripe.StripeError:  # no refusal of the charge
            raise ProviderUnclearError("Stripe doesn't cancel a charge that failed") from None
        if charge_of(ended).status is ChargeStatus.FAILED and not is_ended(ended):
            raise ProviderUnclearError("Stripe doesn't cancel a charge that failed")
        return ended

    async def _find_by_reference(
        self, client: "stripe.StripeClient", customer: str, reference: str
    ) -> ProviderCharge | None:
        """The customer's payment intent that has our reference; newer ones are looked at first."""
        asked = {"customer": customer, "expand": ["data.latest_charge.balance_transaction"]}
        async with aclosing(self._pages(client.v1.payment_intents.list_async, asked)) as pages:
            async for page in pages:
                for intent in page:
                    if reference_of(intent) == reference:
                        return await self._standing(client, intent, reference)
        return None
