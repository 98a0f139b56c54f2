"""Saved cards of customers."""

from ledgerbee.core.errors import ErrorCode

PAYMENT_METHOD_NOT_FOUND = ErrorCode("PAYMENT_METHOD_NOT_FOUND", 404, "No such payment method of the customer")
