"""What `ledgerbee verify` finds of charges that are not as they were made."""

import pytest
from tests.billing import Biller
from tests.conftest import Api
from tests.ledger_books import as_owner

from ledgerbee.billing.subscriptions.audit import fault_in_charges
from ledgerbee.platform.context import Context

DOWNGRADE = "2026-03-16"
#: A credit of more than there was.
NEVER_CHARGED = """
net = -90000 WHERE credits_charge_id IS NOT NULL AND waits
"""


@pytest.fixture
async def biller(api: Api) -> Biller:
    """A subscription that was billed, lowered with a credit note, and has usage billed."""
    biller = Biller(api)
    small, large = [await biller.plan(await biller.recurring(amount)) for amount in ("31", "62")]
    subscription = await biller.subscribe(large, "2026-03-01", prorationBehavior="always_invoice")
    await biller.bill()
    await biller.change(subscription, "replace_plan", effectiveDate=DOWNGRADE, payload={"planId": small})
    waiting = await biller.subscribe(large, "2026-03-01", prorationBehavior="create_prorations")
    await biller.bill()
    await biller.change(waiting, "replace_plan", effectiveDate=DOWNGRADE, payload={"planId": small})
    meter, usage = await biller.metered()
    metered = await biller.subscribe(await biller.plan(usage, interval="month"), "2026-02-01")
    await biller.use(meter, metered, "5", "2026-02-10")
    await biller.bill()
    return biller


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("net = net + 1, period_amount = period_amount + 1 WHERE kind = 'recurring'", "its invoice says"),
        ("invoice_line_id = NULL, invoice_id = NULL WHERE kind = 'usage'", "no document"),
        ("change_id = gen_random_uuid() WHERE invoice_line_id IS NOT NULL AND kind = 'proration'", "shares its line"),
        ("net = net - 1 WHERE credit_note_net > 0", "its invoice says|its credit note says"),
        ("events = events + 1 WHERE kind = 'usage'", "the usage that is there"),
        (NEVER_CHARGED, "more is credited"),
    ],
)
async def test_a_charge_that_is_another_one_is_found(
    biller: Biller, database_url: str, change: str, words: str
) -> None:
    async def look(context: Context) -> str | None:
        return await fault_in_charges(context)

    assert await biller.api.run(look) is None

    owner = await as_owner(database_url)
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(biller.api.company_id))
    changed = await owner.execute(
        f"UPDATE subscription_charges SET {change} AND company_id = $1", biller.api.company_id
    )
    await owner.close()
    assert changed != "UPDATE 0"
    found = await biller.api.run(look)
    assert found is not None
    assert any(one in found for one in words.split("|")), found
