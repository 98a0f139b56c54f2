"""Events as integrators see them."""

from typing import Final

from ledgerbee.core.errors import ErrorCode

EVENT_NOT_FOUND: Final = ErrorCode("EVENT_NOT_FOUND", 404, "No such event in the company")
