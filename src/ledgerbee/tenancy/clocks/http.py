"""Routes of the test clock of a sandbox (ours)."""

from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.tenancy.clocks import actions
from ledgerbee.tenancy.clocks.model import TEST_CLOCK_ADVANCING, TEST_CLOCK_UNAVAILABLE
from ledgerbee.tenancy.clocks.wire import AdvanceTestClockRequest, TestClockResponse

router = resource_router("Test Clock")


@router.get(
    "/v1/test-clock",
    **operation(
        "Get the test clock",
        scope="company-read",
        extension=True,
        description="The day of a sandbox, and how far the step is that moves it ahead.",
        errors=[TEST_CLOCK_UNAVAILABLE],
    ),
)
async def get_test_clock(context: Ctx) -> TestClockResponse:
    return await actions.show(context)


@router.post(
    "/v1/test-clock/advance",
    **operation(
        "Advance the test clock",
        scope="company-write",
        status=202,
        extension=True,
        description="Moves the day of a sandbox ahead, a day at a time: what is due on each happens as it would, in "
        "order. The answer comes at once; `GET /v1/test-clock` shows how far it is, and `test_clock.advanced` tells "
        "when it is there. One step is at most 750 days, and there is no way back.",
        response="The clock is being moved",
        errors=[TEST_CLOCK_UNAVAILABLE, TEST_CLOCK_ADVANCING],
    ),
)
async def advance_test_clock(context: Ctx, body: AdvanceTestClockRequest) -> TestClockResponse:
    return await actions.advance(context, body.to_date)
