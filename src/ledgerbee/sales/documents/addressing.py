"""Who a document goes to, and in which words: people, template, EAN, address. Pure."""

from collections.abc import Iterable
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.parties.contacts.model import CONTACT_NOT_FOUND, Contact
from ledgerbee.parties.customers.model import DOCUMENT_TEMPLATE_NOT_FOUND, Customer
from ledgerbee.parties.departments.model import DEPARTMENT_NOT_FOUND
from ledgerbee.sales.documents.model import (
    SALES_DOCUMENT_CUSTOMER_INACTIVE,
    SALES_DOCUMENT_DEPARTMENT_INACTIVE,
    SALES_DOCUMENT_TEMPLATE_MISMATCH,
    DocumentFields,
    Sources,
)
from ledgerbee.sales.documents.rules import buyer_language
from ledgerbee.sales.documents.snapshot import Addressee
from ledgerbee.sales.templates.model import DocumentTemplate, TemplateType


def check_customer(sources: Sources) -> None:
    """Raises `SALES_DOCUMENT_CUSTOMER_INACTIVE`."""
    customer = sources.facts.customer
    if not customer.is_active:
        raise SALES_DOCUMENT_CUSTOMER_INACTIVE.error(customerId=str(customer.id))


def check_references(given: DocumentFields, sources: Sources, template_type: TemplateType) -> None:
    """Refuse what a draft can't refer to: an inactive customer, people who aren't the customer's own, a template of
    another kind.

    Raises `SALES_DOCUMENT_CUSTOMER_INACTIVE`, `CONTACT_NOT_FOUND`, `DEPARTMENT_NOT_FOUND`,
    `SALES_DOCUMENT_DEPARTMENT_INACTIVE`, `DOCUMENT_TEMPLATE_NOT_FOUND`, `SALES_DOCUMENT_TEMPLATE_MISMATCH`.
    """
    check_customer(sources)
    check_own_references(given, sources, template_type)
    if sources.department is not None and not sources.department.is_active:
        raise SALES_DOCUMENT_DEPARTMENT_INACTIVE.error(departmentId=str(sources.department.id))


def check_own_references(given: DocumentFields, sources: Sources, template_type: TemplateType) -> None:
    """Refuse people who aren't the customer's own, and a template of another kind.

    Raises `CONTACT_NOT_FOUND`, `DEPARTMENT_NOT_FOUND`, `DOCUMENT_TEMPLATE_NOT_FOUND`,
    `SALES_DOCUMENT_TEMPLATE_MISMATCH`.
    """
    contact_id, department_id = given.customer_contact_id, given.customer_department_id
    if contact_id is not None and sources.contact is None:
        raise CONTACT_NOT_FOUND.missing("customerContactId", "contactId", contact_id)
    if department_id is not None and sources.department is None:
        raise DEPARTMENT_NOT_FOUND.missing("customerDepartmentId", "departmentId", department_id)
    if given.document_template_id is not None:
        choose_template(template_type, sources, given.document_template_id)


def choose_template(template_type: TemplateType, sources: Sources, chosen: UUID | None) -> DocumentTemplate | None:
    """The template of a document: the chosen one, else the customer's if it is for this kind, else the first in the
    buyer's language, else the default. Of several in that language the default goes first.

    None only for a company without templates. Raises `DOCUMENT_TEMPLATE_NOT_FOUND` and
    `SALES_DOCUMENT_TEMPLATE_MISMATCH` for a chosen one.
    """
    known: dict[UUID, DocumentTemplate] = {template.id: template for template in sources.templates}
    customer = sources.facts.customer
    if chosen is not None:
        template = known.get(chosen)
        if template is None:
            raise DOCUMENT_TEMPLATE_NOT_FOUND.missing("documentTemplateId", "documentTemplateId", chosen)
        if template.document_type is not template_type:
            raise SALES_DOCUMENT_TEMPLATE_MISMATCH.error(
                property="documentTemplateId", documentType=template.document_type.value
            )
        return template
    of_customer = known.get(customer.document_template_id) if customer.document_template_id else None
    if of_customer is not None and of_customer.document_type is template_type:
        return of_customer
    ours = [template for template in sources.templates if template.document_type is template_type]
    ours.sort(key=lambda template: not template.is_default)
    language = buyer_language(customer.language, customer.country_code)
    return next((template for template in ours if template.language == language), next(iter(ours), None))


def addressee(sources: Sources, ean_number: str | None = None) -> Addressee:
    """Whom a document is for. Its EAN is the given one, else the department's, else the customer's."""
    customer, department = sources.facts.customer, sources.department
    ean_number = ean_number or (department.ean_number if department else None) or customer.ean_number
    return Addressee(customer, department, sources.contact, ean_number)


def recipient(override: str | None, contacts: Iterable[Contact | None], customer: Customer, missing: ErrorCode) -> str:
    """The address of a mail: the override, else the first contact with one, else the customer's own.

    Raises `missing`.
    """
    found = override or _address(contacts, customer)
    if found is None:
        raise missing.error(customerId=str(customer.id))
    return found


def has_address(contacts: Iterable[Contact | None], customer: Customer) -> bool:
    """Whether a mail to the customer has somewhere to go to."""
    return _address(contacts, customer) is not None


def _address(contacts: Iterable[Contact | None], customer: Customer) -> str | None:
    addresses = [*(contact.email for contact in contacts if contact), customer.email]
    return next((address for address in addresses if address), None)
