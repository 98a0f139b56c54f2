"""A name or number that another object has: one code a field, and the same details everywhere."""

from typing import Any

import pytest
from docs.reference import generate
from tests.contract.operations import OPERATIONS, Row
from tests.contract.test_operations import path_of
from tests.contract.world import World

from ledgerbee.core.ids import new_id

#: Code -> operation, the field, and what else the body needs to reach it.
TAKEN: dict[str, tuple[str, str, dict[str, Any]]] = {
    "INVITATION_ALREADY_EXISTS": ("POST /v1/users/invitations", "email", {}),
    "USER_ALREADY_EXISTS": ("POST /v1/users/invitations", "email", {"email": "{memberEmail}"}),
    "ACCOUNT_NUMBER_ALREADY_EXISTS": ("POST /v1/accounts", "accountNumber", {}),
    "ACCOUNT_ROLE_ALREADY_EXISTS": (
        "POST /v1/accounts",
        "role",
        {
            "role": "DEFERRED_REVENUE", "accountNumber": 98765, "ledgerType": "BALANCE_SHEET",
            "accountClassification": "LIABILITY",
        },
    ),
    "CUSTOMER_EXTERNAL_SYSTEM_ID_ALREADY_EXISTS": (
        "POST /v1/customers", "externalSystemId", {"externalSystemId": "X-1"},
    ),
    "CUSTOMER_NUMBER_ALREADY_EXISTS": ("POST /v1/customers", "customerNumber", {}),
    "CUSTOMER_GROUP_NUMBER_ALREADY_EXISTS": ("POST /v1/customer-groups", "number", {}),
    "DIMENSION_NAME_ALREADY_EXISTS": ("POST /v1/dimensions", "name", {}),
    "DIMENSION_VALUE_NAME_ALREADY_EXISTS": ("POST /v1/dimensions/{dimensionId}/values", "name", {}),
    "JOURNAL_CATEGORY_NAME_ALREADY_EXISTS": ("POST /v1/journal-categories", "name", {}),
    "METER_NAME_ALREADY_EXISTS": ("POST /v1/meters", "name", {}),
    "PRODUCT_GROUP_NUMBER_ALREADY_EXISTS": ("POST /v1/product-groups", "number", {}),
    "PRODUCT_NUMBER_ALREADY_EXISTS": ("POST /v1/products", "number", {}),
    "PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS": (
        "POST /v1/projects", "externalReference", {"externalReference": "pm-77"},
    ),
    "SUBPROJECT_NAME_ALREADY_EXISTS": ("POST /v1/projects/{projectId}/subprojects", "name", {}),
    "SUBSCRIPTION_CHANGE_ALREADY_EXISTS": (
        "POST /v1/subscriptions/{subscriptionId}/scheduled-changes", "type", {},
    ),
    "SUBSCRIPTION_PLAN_VANITY_ALREADY_EXISTS": ("POST /v1/subscription-plans", "vanity", {"vanity": "basis"}),
    "VAT_CODE_ALREADY_EXISTS": ("POST /v1/vat-codes", "vatCode", {}),
    "VENDOR_GROUP_NUMBER_ALREADY_EXISTS": ("POST /v1/vendor-groups", "number", {}),
    "VENDOR_NUMBER_ALREADY_EXISTS": ("POST /v1/vendors", "vendorNumber", {}),
}  # fmt: skip
#: Where two fields are unique: the code of one, and the other field.
ALSO_UNIQUE = {"CUSTOMER_EXTERNAL_SYSTEM_ID_ALREADY_EXISTS": "customerNumber"}


def row_of(name: str) -> Row:
    (row,) = [row for row in OPERATIONS if str(row) == name]
    return row


def test_every_such_code_is_tried() -> None:
    codes = {error.code for error in generate.error_codes() if error.code.endswith("_ALREADY_EXISTS")}
    assert codes == set(TAKEN), (
        "a new code goes into `TAKEN`, and where the resource has two unique fields into `ALSO_UNIQUE`"
    )


@pytest.mark.parametrize("code", TAKEN)
async def test_a_duplicate_says_which_field_and_value(code: str, world: World) -> None:
    name, field, more = TAKEN[code]
    row = row_of(name)
    body = {
        name: world.ids.get(str(value).strip("{}"), value)
        for name, value in {**row.sent(world)["json"], **more}.items()
    }
    path = path_of(row, world.ids)
    await world.api.request(row.method, path, json={**body, **other(code)})  # may be there already
    answer = await world.api.request(row.method, path, json={**body, **other(code)})
    assert answer.status_code == (400 if code == "VENDOR_NUMBER_ALREADY_EXISTS" else 409), answer.text  # contract 1.5
    assert answer.json()["code"] == code
    assert answer.json()["details"] == {"property": field, "value": body[field]}


def other(code: str) -> dict[str, Any]:
    """Of two fields that are unique, the other one is new each time."""
    return {ALSO_UNIQUE[code]: str(new_id())} if code in ALSO_UNIQUE else {}
