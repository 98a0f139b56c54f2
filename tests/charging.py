"""Saved cards and charges in tests: a company that charges by a provider of `tests.card_provider`."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from tests.card_provider import CardProvider
from tests.conftest import Api
from tests.days import job_of
from tests.selling import Shop, line

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.payments.charges.jobs import charge_card
from ledgerbee.payments.providers.model import ProviderName, ProviderUnclearError
from ledgerbee.platform.context import Context

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

    async def charged(self, charge_id: str) -> dict[str, Any]:
        """A charge as it stands."""
        found: dict[str, Any] = await self.ok("GET", f"/v1/charges/{charge_id}")
        return found

    async def carry_out(self, charge: dict[str, Any]) -> dict[str, Any]:
        """One run of the job of a charge, and the charge after it, whether the job is to come again or not."""
        with suppress(ProviderUnclearError, LedgerBeeError):
            await charge_card({ProviderName.STRIPE: self.provider}, job_of(self.api, chargeId=charge["id"]))
        return await self.charged(charge["id"])
