"""Routes of meters (contract 2.10; keeping meters is ours)."""

from functools import partial
from typing import Annotated, Final

from fastapi import Path, Query

from ledgerbee.billing.meters import actions, store
from ledgerbee.billing.meters.model import METER_NAME_ALREADY_EXISTS, MeterId
from ledgerbee.billing.meters.wire import (
    CreateMeterRequest,
    ListMetersResponse,
    MeterQuery,
    MeterResponse,
    MeterSubscriptionsResponse,
    render,
    render_subscriptions,
)
from ledgerbee.catalog.prices.model import METER_NOT_FOUND
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf, PathName

router = resource_router("Meters")

#: Metered products are for companies with subscriptions (contract 2.10).
LICENSES: Final = ("Subscription", "MeteredProducts")
#: An operation on meters.
metered = partial(operation, scope="meter-report", license_key=LICENSES)
MeterPath = Annotated[IdOf[MeterId], Path(alias="meterId", description="Meter ID")]
MeterNamePath = Annotated[PathName, Path(alias="meterName", description="The meter's name, as it is written")]
_SUBSCRIPTIONS: Final = (
    "Returns the subscriptions, with their products, that may report usage to this meter today: those that hold a "
    "product whose price is linked to it. Paused and ended subscriptions are left out."
)


@router.get(
    "/v1/meters/{meterId}/subscriptions",
    **metered("List meter subscriptions by ID", description=_SUBSCRIPTIONS, errors=[METER_NOT_FOUND]),
)
async def list_meter_subscriptions(context: Ctx, meter_id: MeterPath) -> MeterSubscriptionsResponse:
    meter = await store.get(context, meter_id)
    return render_subscriptions(meter, await actions.reporting_subscriptions(context, meter))


@router.get(
    "/v1/meters/by-name/{meterName}/subscriptions",
    **metered("List meter subscriptions by name", description=_SUBSCRIPTIONS, errors=[METER_NOT_FOUND]),
)
async def list_meter_subscriptions_by_name(context: Ctx, meter_name: MeterNamePath) -> MeterSubscriptionsResponse:
    meter = await store.get_by_name(context, meter_name)
    return render_subscriptions(meter, await actions.reporting_subscriptions(context, meter))


@router.get(
    "/v1/meters",
    **metered("List meters", extension=True, description="Pass `?search=` to prefix-match on the name."),
)
async def list_meters(context: Ctx, query: Annotated[MeterQuery, Query()]) -> ListMetersResponse:
    found = await store.list_page(context, query.asked, query.status)
    return ListMetersResponse.of([render(meter) for meter in found.rows], found.total, query.asked)


@router.post(
    "/v1/meters",
    **metered(
        "Create a meter",
        extension=True,
        status=201,
        description="Creates an active meter. Link it to a USAGE price (`meterId`), and report usage to it. How it "
        "counts stays as it is: what was billed by it must not change.",
        response="Meter created",
        errors=[METER_NAME_ALREADY_EXISTS],
    ),
)
async def create_meter(context: Ctx, body: CreateMeterRequest) -> MeterResponse:
    return render(await actions.create(context, body.meter()))


@router.get(
    "/v1/meters/{meterId}",
    **metered("Get a meter", extension=True, errors=[METER_NOT_FOUND]),
)
async def get_meter(context: Ctx, meter_id: MeterPath) -> MeterResponse:
    return render(await store.get(context, meter_id))


@router.post(
    "/v1/meters/{meterId}/archive",
    **metered(
        "Archive a meter",
        extension=True,
        description="The meter takes no more usage, and no new price can be linked to it. What was reported is billed. "
        "An archived meter stays archived.",
        response="Meter archived",
        errors=[METER_NOT_FOUND],
    ),
)
async def archive_meter(context: Ctx, meter_id: MeterPath) -> MeterResponse:
    return render(await actions.archive(context, meter_id))
