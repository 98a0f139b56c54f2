"""The adapter of the provider that is built in.

It works in transactions of its own, as a foreign system would, and is reached with a key: the secret of the address
for its events, which is a credential of the company. What moves there moves on the company's day, as far ahead as the
clock of a sandbox was moved.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from ledgerbee.core.dates import Clock, system_clock
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id, parse_id
from ledgerbee.payments.providers.model import (
    Access,
    Agreement,
    AgreementPage,
    AgreementRequest,
    AgreementStatus,
    ChargeRequest,
    ChargeStatus,
    DisputeStatus,
    Movement,
    ProviderCharge,
    ProviderDispute,
    ProviderEvent,
    ProviderRefund,
    ProviderRefusedError,
    ProviderUnclearError,
    RefundRequest,
    Subject,
)
from ledgerbee.payments.providers.sandbox import rules, store
from ledgerbee.payments.providers.sandbox.cards import agreement_of, new_card
from ledgerbee.payments.providers.sandbox.charging import Gathering, Outcome, charge_many, events_of
from ledgerbee.payments.providers.sandbox.model import (
    SECRET,
    SandboxCard,
    SandboxCharge,
    SandboxRefund,
)
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import secret_hash
from ledgerbee.platform.db import CredentialRevokedError, Database, Tenant

T = TypeVar("T")

_NO_KEY: Final = "The key is not one of the sandbox provider"
_NO_CARD: Final = "There is no such card"
_NO_CHARGE: Final = "There is no such charge"


class SandboxProvider:
    """Satisfies `Provider` with rows of the database that the companies live in."""

    key_names: tuple[str, ...] = ()
    optional_key_names: tuple[str, ...] = ()

    def __init__(self, database: Database, clock: Clock = system_clock) -> None:
        self.database = database
        self.clock = clock
        self._gathering = Gathering()

    async def start_agreement(self, access: Access, asked: AgreementRequest) -> AgreementPage:
        """A page on which a test card is saved, for 24 hours."""
        base = self.database.public_url
        if base is None:
            raise ProviderRefusedError("Nobody said how this installation is reached: there is no page to save a card")

        async def work(context: Context) -> SandboxCard:
            known = await store.find_card_by_reference(context, asked.reference)
            if known is not None:
                return known
            return await new_card(
                context,
                reference=asked.reference,
                language=asked.language,
                customer_name=asked.customer_name,
                return_url=asked.return_url,
                cancel_url=asked.cancel_url,
            )

        card = await self._run(access, work)
        return AgreementPage(f"{base}/sandbox-payments/{card.page_secret}", str(card.id))

    async def find_agreement(self, access: Access, provider_id: str) -> Agreement | None:
        """How a card stands."""
        card_id = _id_of(provider_id)
        if card_id is None:
            return None
        card = await self._run(access, lambda context: store.find_card(context, card_id), read_only=True)
        return None if card is None else agreement_of(card)

    async def cancel_agreement(self, access: Access, agreement_id: str) -> None:
        """End a card."""
        card_id = _id_of(agreement_id)

        async def work(context: Context) -> None:
            card = None if card_id is None else await store.lock_card(context, card_id)
            if card is not None and card.status is not AgreementStatus.CANCELLED:
                ended = replace(card, status=AgreementStatus.CANCELLED, updated_at=context.now)
                await store.update_card(context, ended)
                await _tell(context, "agreement.cancelled", Subject.AGREEMENT, card.id, card.reference)

        await self._run(access, work)

    async def charge(self, access: Access, asked: ChargeRequest) -> ProviderCharge:
        """Charge a card: it comes out as its number says. Once for each reference."""

        async def carry_out(requests: Sequence[ChargeRequest]) -> list[Outcome]:
            return await self._run(access, lambda context: charge_many(context, requests))

        key = (access.account, access.keys.get(SECRET, ""))
        outcome = await self._gathering.carry_out(key, asked, carry_out)
        if isinstance(outcome, ProviderRefusedError):
            raise outcome
        return self._charge(outcome)

    async def find_charge(
        self,
        access: Access,
        reference: str,
        provider_id: str | None,
        agreement_id: str,  # noqa: ARG002  found without it
    ) -> ProviderCharge | None:
        """How a charge stands. One that its owner was to confirm has failed a day later."""
        charge_id = _id_of(provider_id) if provider_id is not None else None

        async def work(context: Context) -> SandboxCharge | None:
            if charge_id is not None:
                found = await store.find_charge(context, charge_id)
            else:
                found = await store.find_charge_by_reference(context, reference)
            if found is None or rules.as_of(found, context.company_now) is found:
                return found
            locked = await store.lock_charge(context, found.id)
            assert locked is not None, "charges are never deleted"
            charge = rules.as_of(locked, context.company_now)
            if charge is not locked:
                await store.update_charge(context, charge)
                await tell_of_charge(context, charge)
            return charge

        charge = await self._run(access, work)
        return None if charge is None else self._charge(charge)

    async def cancel_charge(
        self,
        access: Access,
        reference: str,  # noqa: ARG002  found by the id
        provider_id: str,
    ) -> None:
        """End a charge that its owner has not confirmed: its page says so."""
        charge_id = _id_of(provider_id)

        async def work(context: Context) -> None:
            charge = None if charge_id is None else await store.lock_charge(context, charge_id)
            if charge is None or charge.status is ChargeStatus.SUCCEEDED:
                raise ProviderRefusedError(_NO_CHARGE if charge is None else "The charge has succeeded")
            ended = rules.cancelled(charge, context.company_now)
            if ended is not charge:
                await store.update_charge(context, ended)
                await tell_of_charge(context, ended)

        await self._run(access, work)

    async def refund(self, access: Access, asked: RefundRequest) -> ProviderRefund:
        """Give back of a charge, never more than is left of it. Once for each reference."""
        charge_id = _id_of(asked.charge_id)

        async def work(context: Context) -> tuple[SandboxRefund, str]:
            charge = None if charge_id is None else await store.lock_charge(context, charge_id)
            if charge is None or charge.status is not ChargeStatus.SUCCEEDED:
                raise ProviderRefusedError(_NO_CHARGE)
            known = await store.find_refund(context, asked.reference)
            if known is not None:
                return known, charge.currency
            left = charge.amount - await store.refunded(context, charge.id)
            if asked.currency != charge.currency or asked.amount > left:
                raise ProviderRefusedError(f"{left} {charge.currency} are left of the charge")
            refund = SandboxRefund(
                id=new_id(),
                reference=asked.reference,
                charge_id=charge.id,
                amount=asked.amount,
                created_at=context.company_now,
            )
            await store.insert_refund(context, refund)
            await _tell(context, "refund.succeeded", Subject.REFUND, refund.id, refund.reference)
            return refund, charge.currency

        return _refund(*await self._run(access, work))

    async def find_refund(self, access: Access, charge_id: str, reference: str) -> ProviderRefund | None:
        """How a refund stands."""
        wanted = _id_of(charge_id)

        async def work(context: Context) -> tuple[SandboxRefund, str] | None:
            charge = None if wanted is None else await store.find_charge(context, wanted)
            refund = await store.find_refund(context, reference)
            if charge is None or refund is None or refund.charge_id != charge.id:
                return None
            return refund, charge.currency

        found = await self._run(access, work, read_only=True)
        return None if found is None else _refund(*found)

    async def find_dispute(self, access: Access, provider_id: str) -> ProviderDispute | None:
        """How a dispute stands; it has the id of its charge."""
        charge_id = _id_of(provider_id)

        async def work(context: Context) -> tuple[SandboxCharge, DisputeStatus] | None:
            charge = None if charge_id is None else await store.find_charge(context, charge_id)
            card = None if charge is None else await store.find_card(context, charge.card_id)
            if charge is None or card is None or charge.disputed_at is None:
                return None
            return charge, rules.dispute_status(charge, card.behavior, context.company_now)

        found = await self._run(access, work, read_only=True)
        if found is None:
            return None
        charge, status = found
        return ProviderDispute(
            provider_id=str(charge.id),
            charge_id=str(charge.id),
            status=status,
            amount=charge.amount,
            currency=charge.currency,
            reason="fraudulent",
        )

    async def movements(self, access: Access, since: datetime, until: datetime) -> AsyncIterator[Movement]:
        """All that moved on the account in a time, oldest first."""

        async def work(context: Context) -> list[Movement]:
            return rules.movements_of(*await store.list_moved(context), context.company_now)

        for movement in await self._run(access, work, read_only=True):
            if since <= movement.at < until:
                yield movement

    def read_event(self, access: Access, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        """What an event says."""
        return rules.read_event(access.keys[SECRET], headers, body)

    async def _run(self, access: Access, work: Callable[[Context], Awaitable[T]], *, read_only: bool = False) -> T:
        """Run `work` in a transaction of the company whose key is shown."""
        hashed = secret_hash(access.keys.get(SECRET, ""))
        try:
            async with self.database.connection() as connection:
                principal = await credentials.resolve(connection, hashed, self.database.cell)
            if principal is None or str(principal.company_id) != access.account:
                raise ProviderRefusedError(_NO_KEY)
            tenant = Tenant(
                company_id=principal.company_id,
                actor=principal.actor,
                request_id="sandbox",
                time_zone=principal.time_zone,
                credential_hash=hashed,
                credential_version=principal.version,
                is_sandbox=principal.is_sandbox,
                clock_offset=principal.clock_offset,
            )
            return await self.database.run(tenant, self.clock(), work, read_only=read_only)
        except CredentialRevokedError:
            raise ProviderUnclearError("The key was changed at the same time") from None
        except LedgerBeeError as fault:
            raise ProviderUnclearError(f"The sandbox provider gave no answer: {fault.code}") from fault

    def _charge(self, charge: SandboxCharge) -> ProviderCharge:
        is_open = charge.status is ChargeStatus.REQUIRES_ACTION
        return ProviderCharge(
            provider_id=str(charge.id),
            reference=charge.reference,
            status=charge.status,
            amount=charge.amount,
            currency=charge.currency,
            decline=rules.DECLINES[charge.decline_code] if charge.decline_code else None,
            fee=charge.fee if charge.status is ChargeStatus.SUCCEEDED else None,
            action_url=f"{self.database.public_url or ''}/sandbox-payments/{charge.page_secret}" if is_open else None,
            is_test=True,
        )


async def tell_of_charge(context: Context, charge: SandboxCharge) -> None:
    """Tell how a charge stands, and that it is disputed."""
    await store.tell_many(context, events_of(context, charge))


async def tell_of_card(context: Context, card: SandboxCard) -> None:
    """Tell how a card stands that was to be saved."""
    await _tell(context, f"agreement.{card.status}", Subject.AGREEMENT, card.id, card.reference)


async def _tell(context: Context, type_: str, subject: Subject, object_id: UUID, reference: str) -> None:
    await store.tell(context, type_, subject, object_id, reference, context.now)


def _refund(refund: SandboxRefund, currency: str) -> ProviderRefund:
    return ProviderRefund(
        provider_id=str(refund.id),
        reference=refund.reference,
        charge_id=str(refund.charge_id),
        status=ChargeStatus.SUCCEEDED,
        amount=refund.amount,
        currency=currency,
    )


def _id_of(text: str) -> UUID | None:
    try:
        return parse_id(text)
    except ValueError:
        return None
