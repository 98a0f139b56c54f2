"""What makes a customer's fields agree with each other."""

from typing import Protocol
from uuid import UUID

from ledgerbee.core.errors import check_all, invalid
from ledgerbee.parties.customers.model import (
    CUSTOMER_PARENT_INVALID,
    BillingRelationship,
    CustomerFields,
    VatZone,
)
from ledgerbee.parties.identifiers import is_eu_vat_number
from ledgerbee.parties.party.model import CustomerId


def check(customer: CustomerFields, own_id: CustomerId | None = None) -> None:
    """Refuse a customer whose fields contradict each other; `own_id` is that of one which is there already.

    In the EU zone a VAT number must have the form of a member state's: reverse charge and the EU sales list hang on
    it. A parent that pays must be named. Raises validation errors and `CUSTOMER_PARENT_INVALID`.
    """
    check_all(lambda: check_vat_number(customer), lambda: _check_parent(customer, own_id))


class Buyer(Protocol):
    """What the rules look at of a customer, or of a request for one."""

    @property
    def vat_zone(self) -> VatZone: ...
    @property
    def vat_number(self) -> str | None: ...
    @property
    def country_code(self) -> str: ...
    @property
    def billing_relationship(self) -> BillingRelationship: ...
    @property
    def parent_customer_id(self) -> UUID | None: ...


def check_vat_number(customer: Buyer) -> None:
    """Raises a validation error for a number of a customer in the EU zone that no member state gives."""
    if (
        customer.vat_zone is VatZone.EU
        and customer.vat_number is not None
        and not is_eu_vat_number(customer.vat_number, customer.country_code)
    ):
        raise invalid(("vatNumber", "isVatNumber", "vatNumber must be a VAT number of an EU member state"))


def _check_parent(customer: CustomerFields, own_id: CustomerId | None) -> None:
    if own_id is not None and customer.parent_customer_id == own_id:
        raise CUSTOMER_PARENT_INVALID.error(property="parentCustomerId")
    check_payer(customer)


def check_payer(customer: Buyer) -> None:
    """Raises a validation error where a parent pays that is not named."""
    if customer.billing_relationship is BillingRelationship.PARENT_PAYS and customer.parent_customer_id is None:
        raise invalid(("parentCustomerId", "isDefined", "parentCustomerId should not be null: the parent pays"))
