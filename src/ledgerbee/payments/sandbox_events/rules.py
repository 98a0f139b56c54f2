"""What may be asked for of an event. Pure."""

from collections.abc import Mapping
from typing import Final

from ledgerbee.core.errors import invalid, refuse
from ledgerbee.payments.providers.model import ProviderName, Subject
from ledgerbee.payments.sandbox_events.model import WantedEvent

#: The field that names what events of a subject are about. A charge has one dispute at most.
OBJECTS: Final[Mapping[Subject, str]] = {
    Subject.AGREEMENT: "paymentMethodId",
    Subject.CHARGE: "chargeId",
    Subject.DISPUTE: "chargeId",
    Subject.REFUND: "refundId",
}


def check_wanted(asked: WantedEvent) -> None:
    """Raises validation errors, where anything is given beside what is asked for, or less than that:

    | asked for | with |
    | --- | --- |
    | `eventId` | nothing else |
    | `type` `agreement.…` | `paymentMethodId` |
    | `type` `charge.…`, `dispute.…` | `chargeId` |
    | `type` `refund.…` | `refundId` |
    """
    given = {
        "chargeId": asked.charge_id,
        "refundId": asked.refund_id,
        "paymentMethodId": asked.payment_method_id,
    }
    named = [name for name, value in given.items() if value is not None]
    if asked.event_id is not None:
        beside = [*(["type"] if asked.type is not None else []), *named]
        refuse([(name, "isAlone", f"{name} must be left out where eventId is given") for name in beside])
        return
    if asked.type is None:
        raise invalid(("eventId", "isDefined", "eventId must be given, or type"))
    needed = OBJECTS[asked.type.subject]
    problems = [
        (name, "isAlone", f"{name} must be left out for {asked.type.value}") for name in named if name != needed
    ]
    if needed not in named:
        problems.append((needed, "isDefined", f"{needed} must be given for {asked.type.value}"))
    refuse(problems)


def check_provider(name: str, provider: ProviderName) -> None:
    """Raises a validation error of the field `name` for what is another provider's."""
    if provider is not ProviderName.SANDBOX:
        raise invalid((name, "isIn", f"{name} must be of the sandbox provider"))
