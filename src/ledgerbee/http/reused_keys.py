"""The refusal of a key that stands for another request. Free of FastAPI: actions raise it too."""

from ledgerbee.core.errors import ErrorCode

IDEMPOTENCY_KEY_REUSED = ErrorCode("IDEMPOTENCY_KEY_REUSED", 409, "This idempotency key was used with another request")
