"""What Schemathesis has to know of our bodies that are no JSON: a text is sent as it is."""

from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson", "text/csv")
def as_it_is(_: Any, value: Any) -> bytes:
    """The example or the generated text, in UTF-8."""
    return value if isinstance(value, bytes) else str(value).encode()
