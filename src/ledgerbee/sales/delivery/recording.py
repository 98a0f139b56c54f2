"""How the outcome of a delivery is written and told, whatever its channel."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from prometheus_client import Counter

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobRun
from ledgerbee.sales.delivery.model import Delivery, DeliveryStatus

#: Seconds between the tries to record what came of a delivery, where no connection to the database is to be had. With
#: the time that a try may take and the tries themselves they are shorter than a claim lasts.
PAUSES_S: Final = (2, 5)

DELIVERIES_ENDED: Final = Counter(
    "ledgerbee_deliveries_total", "Deliveries of documents that ended: delivered, failed", ["outcome"]
)
for _outcome in ("delivered", "failed"):  # there from the start: a rate sees the first one
    DELIVERIES_ENDED.labels(_outcome)

log = structlog.get_logger("ledgerbee.delivery")


async def record(run: JobRun, work: Callable[[Context], Awaitable[Delivery]]) -> None:
    """Write the outcome of a try and tell it where the delivery has ended.

    The document may have left: without its outcome it would be sent again. Who has no connection to the database just
    now gets one soon. Raises `DATABASE_UNAVAILABLE` and the like when it lasts.
    """
    for pause in (*PAUSES_S, None):
        try:
            log_end(run, await run.write(work))
        except LedgerBeeError as fault:
            if pause is None or not fault.is_passing:
                raise
            await asyncio.sleep(pause)
        else:
            return


def log_end(run: JobRun, delivery: Delivery) -> None:
    """Count a delivery that has ended, and log one that failed: without its address, without a server's words."""
    if delivery.status in {DeliveryStatus.DELIVERED, DeliveryStatus.FAILED}:
        DELIVERIES_ENDED.labels(delivery.status.value).inc()
    if delivery.status is DeliveryStatus.FAILED:
        log.warning(
            "delivery.failed",
            request_id=run.request_id,
            company_id=str(run.company_id),
            delivery_id=str(delivery.id),
            **{f"{delivery.document_type}_id": str(delivery.document_id)},
        )
