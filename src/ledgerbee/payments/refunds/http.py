"""Routes of refunds (extension)."""

from typing import Annotated

from fastapi import Path
from pydantic import Field

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import ABOVE_AMOUNTS, Amount, IdOf, RequestModel, decimal_schema, omitted
from ledgerbee.ledger.entries.model import FISCAL_YEAR_MISSING, PERIOD_LOCKED
from ledgerbee.payments.charge_returns.model import CHARGE_CREDIT_USED
from ledgerbee.payments.charges import store as charge_store
from ledgerbee.payments.charges.http import ChargePath
from ledgerbee.payments.charges.model import CHARGE_INVALID_STATE, CHARGE_NOT_FOUND
from ledgerbee.payments.customer_payments.model import PAYMENT_ACCOUNT_INVALID, PAYMENT_ACCOUNT_MISSING
from ledgerbee.payments.refunds import actions, store
from ledgerbee.payments.refunds.model import REFUND_EXCEEDS_CHARGE, REFUND_NOT_FOUND, RefundId
from ledgerbee.payments.refunds.wire import ChargeRefundResponse
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING

router = resource_router("Payments")

RefundPath = Annotated[IdOf[RefundId], Path(alias="refundId", description="Refund ID")]

RefundedAmount = Annotated[
    Amount, Field(gt=0), decimal_schema("What is given back.", exclusiveMinimum=0, exclusiveMaximum=ABOVE_AMOUNTS)
]


class CreateRefundRequest(RequestModel):
    """What is to be given back of a charge: all that is left of it, or a part."""

    amount: RefundedAmount | None = omitted(
        description="In the charge's currency; all that is left of it unless given", examples=["250.00"]
    )


@router.post(
    "/v1/charges/{chargeId}/refunds",
    **operation(
        "Refund a charge",
        scope="payments-write",
        status=202,
        description="Begins to give back a charge that succeeded, in whole or in part, to the card that was charged. "
        "The provider is asked after the answer: `pending` becomes `succeeded`, told as `payment.refunded`, or "
        "`failed`, and then nothing was given back. Refunds, also those under way, and lost disputes are never more "
        "than the charge.\n\nWhat succeeds is booked off the provider's clearing account. Credit that a credit note "
        "made on the paid invoice is used up first; what that doesn't cover is due on the invoice again, which is "
        "not charged by itself; of an invoice that was written off it is written off too. Credit that a refund is to "
        "take can't be used meanwhile. Nothing is given back on a day on which that can't be booked. To give back what "
        "was credited, credit the invoice first, then refund the charge.",
        response="The refund that was begun",
        errors=[
            CHARGE_NOT_FOUND,
            CHARGE_INVALID_STATE,
            REFUND_EXCEEDS_CHARGE,
            CHARGE_CREDIT_USED,
            PAYMENT_ACCOUNT_MISSING,
            PAYMENT_ACCOUNT_INVALID,
            ACCOUNT_NOT_BOOKABLE,
            EXCHANGE_RATE_MISSING,
            PERIOD_LOCKED,
            FISCAL_YEAR_MISSING,
        ],
        extension=True,
    ),
)
async def refund_charge(context: Ctx, charge_id: ChargePath, body: CreateRefundRequest) -> ChargeRefundResponse:
    return await actions.start(context, charge_id, body.amount if "amount" in body.model_fields_set else None)


@router.get(
    "/v1/charges/{chargeId}/refunds",
    **operation(
        "List the refunds of a charge",
        scope="payments-read",
        description="Every refund of the charge, those that failed too, in the order in which they were asked for.",
        response="The refunds",
        errors=[CHARGE_NOT_FOUND],
        extension=True,
    ),
)
async def list_charge_refunds(context: Ctx, charge_id: ChargePath) -> list[ChargeRefundResponse]:
    await charge_store.get(context, charge_id)
    return await actions.rendered(context, await store.list_of_charge(context, charge_id))


@router.get(
    "/v1/refunds/{refundId}",
    **operation(
        "Get a refund by ID",
        scope="payments-read",
        description="Returns a single refund as it stands.",
        response="The refund",
        errors=[REFUND_NOT_FOUND],
        extension=True,
    ),
)
async def get_refund(context: Ctx, refund_id: RefundPath) -> ChargeRefundResponse:
    (found,) = await actions.rendered(context, [await store.get(context, refund_id)])
    return found
