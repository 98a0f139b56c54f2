"""What an unknown field was probably meant to be: a hint in the refusal, never acted on."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

#: Names from other systems' APIs, and those of the object behind an id -> what the field may be called here.
_SLIPS: Final[Mapping[str, tuple[str, ...]]] = {
    "account": ("accountId",),
    "accountNumber": ("accountId",),
    "cvr": ("vatNumber",),
    "contact": ("customerContactId",),
    "contactId": ("customerContactId",),
    "country": ("countryCode",),
    "cvrNumber": ("vatNumber",),
    "customer": ("customerId",),
    "customerNumber": ("customerId",),
    "department": ("departmentId", "customerDepartmentId"),
    "departmentId": ("customerDepartmentId",),
    "discount": ("discountPercent",),
    "externalId": ("externalSystemId", "externalReference"),
    "group": ("customerGroupId", "vendorGroupId", "productGroupId"),
    "groupId": ("customerGroupId", "vendorGroupId", "productGroupId"),
    "invoiceDate": ("date",),
    "items": ("lines",),
    "journalCategory": ("journalCategoryId",),
    "ledgerId": ("accountId",),
    "note": ("notes",),
    "number": ("customerNumber", "vendorNumber", "accountNumber"),
    "parent": ("parentId", "parentCustomerId"),
    "price": ("unitPrice", "unitAmount"),
    "product": ("productId", "priceId"),
    "productId": ("priceId",),
    "productNumber": ("productId", "priceId"),
    "project": ("projectId", "tagIds"),
    "qty": ("quantity",),
    "rows": ("lines",),
    "supplier": ("vendorId",),
    "supplierId": ("vendorId",),
    "tags": ("tagIds",),
    "template": ("documentTemplateId",),
    "text": ("description",),
    "type": ("entryType", "customerType", "ledgerType"),
    "vat": ("vatCodeId", "vatNumber"),
    "vatCode": ("vatCodeId",),
    "vendor": ("vendorId",),
    "vendorNumber": ("vendorId",),
    "zip": ("postalCode",),
    "zipCode": ("postalCode",),
}
#: Names that get a hint, at most: finding close ones takes time.
_MAX_HINTS: Final = 20
_MAX_LENGTH: Final = 40
#: How alike two names are that may be one, from 0 to 1: `referense` and `reference` are 0.89.
_LIKENESS: Final = 0.8


def with_hints(model: type[BaseModel], errors: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Pydantic's findings in a body of `model`, those of unknown fields with a `hint` where there is a likely name."""
    found = [dict(error) for error in errors]
    unknown = [error for error in found if error["type"] == "extra_forbidden"]
    for error in unknown[:_MAX_HINTS]:
        *place, name = error["loc"]
        hint = likely_name(str(name), _names_at(model, place))
        if hint is not None:
            error["hint"] = hint
    return found


def likely_name(name: str, names: Iterable[str]) -> str | None:
    """Which of the names of an object's fields `name` may be a slip for; None where none is near.

    First the same name in another spelling (`price_id`, `PriceID`), then what other systems call it, then close ones.
    """
    if len(name) > _MAX_LENGTH:
        return None
    known = list(names)
    spelt = {one.lower(): one for one in known}
    plain = name.replace("-", "").replace("_", "").lower()
    if plain in spelt:
        return spelt[plain]
    for slip in (name, to_camel(name) if "_" in name else name):
        for meant in _SLIPS.get(slip, ()):
            if meant in known:
                return meant
    close = get_close_matches(name, known, n=1, cutoff=_LIKENESS)
    return close[0] if close else None


def _names_at(model: type[BaseModel], place: Sequence[Any]) -> list[str]:
    """The wire names of the fields of the object at a place in a body; none where it is no model."""
    found: type[BaseModel] | None = model
    for part in place:
        if isinstance(part, int) or found is None:
            continue  # an element: the list's own type said what it is
        fields = {field.alias or name: field for name, field in found.model_fields.items()}
        found = model_in(fields[part].annotation) if part in fields else None
    return [field.alias or name for name, field in found.model_fields.items()] if found is not None else []


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a type is of, has elements of, or may be."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in {Union, UnionType, list, tuple} or hasattr(annotation, "__metadata__"):
        return next((found for one in get_args(annotation) if (found := model_in(one)) is not None), None)
    return None
