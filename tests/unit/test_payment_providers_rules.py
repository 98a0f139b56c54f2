"""What is decided of a company's payment providers."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_chart_rules import ACCOUNT

from ledgerbee.chart.accounts.model import Account, AccountId, Classification, ControlAccountType, LedgerType
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.payments.provider_settings.model import ProviderId, ProviderSettings, WantedSettings
from ledgerbee.payments.provider_settings.rules import check_accounts, check_default, check_keys, with_one_default
from ledgerbee.payments.providers.addresses import is_page_address, page_address
from ledgerbee.payments.providers.model import ProviderName

NOW = datetime(2026, 3, 16, tzinfo=UTC)
WANTED = WantedSettings(
    is_enabled=True,
    is_default=None,
    keys={},
    clearing_account_id=None,
    fee_account_id=None,
    unidentified_account_id=None,
    bank_account_id=None,
)
ASSETS = replace(ACCOUNT, ledger_type=LedgerType.BALANCE_SHEET, classification=Classification.ASSET, sum_from=None)
COSTS = replace(ASSETS, ledger_type=LedgerType.PROFIT_AND_LOSS, classification=Classification.EXPENSE)


def settings(name: ProviderName, age: int, *, is_enabled: bool, is_default: bool) -> ProviderSettings:
    return ProviderSettings(
        id=ProviderId(uuid4()),
        name=name,
        is_enabled=is_enabled,
        is_default=is_default,
        keys=b"",
        callback_secret=b"",
        clearing_account_id=None,
        fee_account_id=None,
        unidentified_account_id=None,
        bank_account_id=None,
        created_at=NOW - timedelta(days=age),
        updated_at=NOW,
    )


@given(
    ages=st.permutations([1, 2, 3]),
    enabled=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    default=st.sampled_from([None, 0, 1, 2]),
)
def test_of_those_that_are_enabled_one_is_the_default(
    ages: list[int], enabled: tuple[bool, bool, bool], default: int | None
) -> None:
    """`default` is the one that is, or is to be; only what is enabled can be."""
    everyone = [
        settings(name, ages[place], is_enabled=enabled[place], is_default=place == default and enabled[place])
        for place, name in enumerate(ProviderName)
    ]
    changed, *others = everyone
    after, moved = with_one_default(changed, others)
    by_name = {one.name: one for one in [*others, *moved, after]}
    defaults = [one for one in by_name.values() if one.is_default]
    assert all(one.is_enabled for one in defaults)
    assert len(defaults) == (1 if any(enabled) else 0)
    if default is not None and enabled[default]:
        assert defaults[0].name is everyone[default].name
        assert not moved
    elif len(defaults) == 1 and any(one.is_enabled for one in others):
        assert defaults[0].created_at == min(one.created_at for one in others if one.is_enabled)
    assert all(one.is_default != next(old for old in others if old.id == one.id).is_default for one in moved)


def test_the_new_default_takes_it_from_the_other() -> None:
    old = settings(ProviderName.STRIPE, 3, is_enabled=True, is_default=True)
    new = settings(ProviderName.SANDBOX, 1, is_enabled=True, is_default=True)
    after, moved = with_one_default(new, [old])
    assert after.is_default
    assert [(one.name, one.is_default) for one in moved] == [(ProviderName.STRIPE, False)]


def is_fine(wanted: WantedSettings, name: ProviderName, stored: set[str]) -> bool:
    try:
        check_default(wanted)
        check_keys(name, wanted, {**dict.fromkeys(stored, "x"), **wanted.keys})
    except LedgerBeeError:
        return False
    return True


def test_a_provider_has_its_keys_and_no_others() -> None:
    stripe = replace(WANTED, keys={"secretKey": "a", "webhookSecret": "b"})
    assert is_fine(stripe, ProviderName.STRIPE, set())
    assert not is_fine(stripe, ProviderName.QUICKPAY, {"apiKey", "privateKey"})
    assert not is_fine(stripe, ProviderName.SANDBOX, set())
    assert not is_fine(replace(WANTED, keys={"secretKey": "a"}), ProviderName.STRIPE, set())
    assert is_fine(replace(WANTED, keys={"secretKey": "a"}), ProviderName.STRIPE, {"webhookSecret"})
    assert is_fine(replace(WANTED, is_enabled=False), ProviderName.STRIPE, set())
    assert is_fine(WANTED, ProviderName.SANDBOX, set())


@pytest.mark.parametrize(
    ("name", "keys", "is_refused"),
    [
        (ProviderName.STRIPE, {"secretKey": "sk_live_1", "webhookSecret": "b"}, True),
        (ProviderName.STRIPE, {"secretKey": " rk_live_1", "webhookSecret": "b"}, True),
        (ProviderName.STRIPE, {"secretKey": "sk_test_1", "webhookSecret": "b"}, False),
        (ProviderName.QUICKPAY, {"apiKey": "sk_live_1", "privateKey": "b"}, False),
    ],
)
def test_a_company_for_tests_has_no_key_that_moves_money(
    name: ProviderName, keys: dict[str, str], is_refused: bool
) -> None:
    check_keys(name, WANTED, keys)
    with pytest.raises(LedgerBeeError) if is_refused else nullcontext() as caught:
        check_keys(name, WANTED, keys, is_sandbox=True)
    if caught is not None:
        assert caught.value.details["validationErrors"][0]["property"] == "keys.secretKey"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://pay.example/1?a=b#c", True),
        ("HTTPS://pay.example", True),
        ("http://127.0.0.1:8080/1", True),
        ("http://[::1]/1", True),
        ("http://localhost/1", True),
        ("http://pay.test/1", True),
        ("http://pay.example/1", False),
        ("http://contest/1", False),
        ("javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        (" https://pay.example", False),
        ("data:text/html,1", False),
        ("//pay.example/1", False),
        ("/1", False),
        ("https:///1", False),
        ("https://[::1", False),
        ("https://p\u00e5.example", False),
        ("", False),
    ],
)
def test_which_pages_a_browser_may_open(url: str, expected: bool) -> None:
    assert is_page_address(url) == expected
    assert page_address(url) == (url if expected else None)
    assert page_address(None) is None


def test_what_is_not_enabled_is_no_default() -> None:
    assert is_fine(replace(WANTED, is_default=True), ProviderName.SANDBOX, set())
    assert not is_fine(replace(WANTED, is_default=True, is_enabled=False), ProviderName.SANDBOX, set())
    assert is_fine(replace(WANTED, is_default=False, is_enabled=False), ProviderName.SANDBOX, set())


def code_of(
    wanted: WantedSettings,
    accounts: dict[UUID, Account],
    by_role: dict[str, Account] | None = None,
    of_vat: set[UUID] | None = None,
) -> str:
    try:
        check_accounts(wanted, accounts, by_role or {}, of_vat or set())
    except LedgerBeeError as fault:
        return fault.code
    return ""


@pytest.mark.parametrize("field", ["clearing_account_id", "fee_account_id", "unidentified_account_id"])
def test_accounts(field: str) -> None:
    fits, other = (COSTS, ASSETS) if field == "fee_account_id" else (ASSETS, COSTS)
    wanted = replace(WANTED, **dict[str, Any]({field: fits.id}))
    assert code_of(WANTED, {}) == ""
    assert code_of(wanted, {}) == "ACCOUNT_NOT_FOUND"
    assert code_of(wanted, {fits.id: fits}) == ""
    assert code_of(wanted, {fits.id: other}) == "PAYMENT_PROVIDER_ACCOUNT_INVALID"
    assert code_of(wanted, {fits.id: replace(fits, is_active=False)}) == "ACCOUNT_NOT_BOOKABLE"
    receivable = replace(ASSETS, control_account_type=ControlAccountType.ACCOUNTS_RECEIVABLE)
    assert code_of(wanted, {fits.id: receivable}) == "PAYMENT_PROVIDER_ACCOUNT_INVALID"
    revenue = replace(COSTS, classification=Classification.REVENUE)
    deferred = replace(ASSETS, role="DEFERRED_REVENUE")
    for wrong in (revenue, deferred):
        assert code_of(wanted, {fits.id: wrong}) == "PAYMENT_PROVIDER_ACCOUNT_INVALID"
    is_expense = field == "fee_account_id"
    of_vat = code_of(wanted, {fits.id: fits}, of_vat={fits.id})
    assert of_vat == ("" if is_expense else "PAYMENT_PROVIDER_ACCOUNT_INVALID")


def test_what_stands_on_the_balance_sheet_is_three_accounts() -> None:
    other = replace(ASSETS, id=AccountId(uuid4()))
    both: dict[UUID, Account] = {ASSETS.id: ASSETS, other.id: other}
    fields = ("clearing_account_id", "unidentified_account_id", "bank_account_id")
    roles = ("PAYMENT_CLEARING", "UNIDENTIFIED_RECEIPTS", "BANK")
    for one, second in permutations(range(3), 2):
        same = replace(WANTED, **dict[str, Any]({fields[one]: ASSETS.id, fields[second]: ASSETS.id}))
        assert code_of(same, both) == "PAYMENT_PROVIDER_ACCOUNT_INVALID"
        stands_in = replace(WANTED, **dict[str, Any]({fields[one]: ASSETS.id}))
        assert code_of(stands_in, both, {roles[second]: ASSETS}) == "PAYMENT_PROVIDER_ACCOUNT_INVALID"
        apart = replace(stands_in, **dict[str, Any]({fields[second]: other.id}))
        assert code_of(apart, both, {roles[second]: ASSETS}) == ""
