"""What a refusal says of a limit is in the wire's words, whatever its kind."""

from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from ledgerbee.http import wire
from ledgerbee.http.validation import validation_error

LIMITED = {
    "amount": wire.Amount,
    "unitPrice": wire.UnitPrice,
    "quantity": wire.Quantity,
    "percent": wire.Percent,
    "exchangeRate": wire.ExchangeRate,
    "moreThan": Annotated[Decimal, Field(gt=5)],
}


@pytest.mark.parametrize("kind", LIMITED.values(), ids=LIMITED)
@pytest.mark.parametrize(
    "value", ["-1e30", "1e30", "-99999999999999999", "99999999999999999", "0", "0.0000000000000001"]
)
def test_a_limit_reads_as_a_number(kind: Any, value: str) -> None:
    try:
        TypeAdapter(kind).validate_python(Decimal(value))
    except ValidationError as fault:
        told = str(validation_error(fault.errors()).details)
        assert "Decimal(" not in told
        assert "Field" not in told


def test_the_largest_amount_is_named() -> None:
    with pytest.raises(ValidationError) as fault:
        TypeAdapter(wire.Amount).validate_python(Decimal(10000000000000))
    (error,) = validation_error(fault.value.errors()).details["validationErrors"]
    assert error["constraints"] == {"max": "body must not be greater than 9999999999999.9999"}
