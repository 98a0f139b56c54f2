"""Saved cards and charges in tests: a company that charges by a provider of `tests.card_provider`."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from tests.card_provider import CardProvider
from tests.conftest import Api
from tests.days import job_of
from tests.selling import Shop, line

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.payments.charges.actions import start_issued
from ledgerbee.payments.charges.jobs import charge_card, charge_cards
from ledgerbee.payments.providers.model import ProviderName, ProviderUnclearError
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.invoices.kind import INVOICES

SIGNING_KEY = "whsec_hush"


class Charger(Shop):
    """A company with Stripe set up, whose adapter is a provider of our own making."""

    def __init__(self, api: Api) -> None:
        super().__init__(api)
        self.provider = CardProvider()

    async def set_up(self) -> None:
        """Set the provider up."""
        body = {"isEnabled": True, "keys": {"secretKey": "sk_test_hush", "webhookSecret": SIGNING_KEY}}
        await self.ok("PUT", "/v1/payment-providers/stripe", body, status=200)

    async def card(
        self,
        customer_id: str,
        *,
        is_default: bool = True,
        status: str = "ACTIVE",
        provider: ProviderName = ProviderName.STRIPE,
        agreement_id: str | None = None,
    ) -> str:
        """A saved card of a customer."""
        method_id = new_id()

        async def work(context: Context) -> None:
            await context.connection.execute(
                "INSERT INTO payment_methods (company_id, id, customer_id, provider, agreement_id, is_default, status,"
                " created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
                context.company_id,
                method_id,
                UUID(customer_id),
                provider,
                agreement_id or f"agr_{method_id}",
                is_default,
                status,
                context.now,
            )

        await self.api.run(work)
        return str(method_id)

    async def due(self, amount: str = "1000", **fields: Any) -> dict[str, Any]:
        """An invoice of `amount` and VAT that is due, whose customer has a saved card."""
        invoice = await self.sold(line(await self.price(amount)), **fields)
        await self.card(invoice["customerId"])
        return invoice

    async def charge(self, invoice: dict[str, Any], **body: Any) -> dict[str, Any]:
        """Ask for a charge of an invoice."""
        found: dict[str, Any] = await self.ok("POST", f"/v1/invoices/{invoice['id']}/charges", body, status=202)
        return found

    async def begin_together(self, invoice_ids: Sequence[str], cards: Mapping[str, str]) -> None:
        """Begin charges of invoices as a billing run does, each to the card of its customer."""

        async def work(context: Context) -> None:
            found = await documents.get_many_for_update(context, INVOICES, [UUID(one) for one in invoice_ids])
            issued = [(one, UUID(cards[str(one.customer_id)])) for one in found.values()]
            assert await start_issued(context, issued) == {}

        await self.api.run(work)

    async def carry_out_together(self) -> None:
        """One run of each job of charges that begin together, and none of them waits any more."""
        found = await self.value(
            "SELECT array_agg(convert_from(payload, 'UTF8')) FROM pgqueuer WHERE entrypoint = 'charge_cards'"
            " AND convert_from(payload, 'UTF8')::json ->> 'companyId' = $1",
            str(self.api.company_id),
        )
        for payload in found or ():
            ids = json.loads(payload)["chargeIds"]
            await charge_cards({ProviderName.STRIPE: self.provider}, job_of(self.api, chargeIds=ids))

    async def charged(self, charge_id: str) -> dict[str, Any]:
        """A charge as it stands."""
        found: dict[str, Any] = await self.ok("GET", f"/v1/charges/{charge_id}")
        return found

    async def carry_out(self, charge: dict[str, Any]) -> dict[str, Any]:
        """One run of the job of a charge, and the charge after it, whether the job is to come again or not."""
        with suppress(ProviderUnclearError, LedgerBeeError):
            await charge_card({ProviderName.STRIPE: self.provider}, job_of(self.api, chargeId=charge["id"]))
        return await self.charged(charge["id"])
