"""The committed OpenAPI document, which `tests/contract/test_openapi.py` holds equal to the application's.

Reading it takes no time; building it takes seconds in every process of a run.
"""

import json
from pathlib import Path
from typing import Any, Final

COMMITTED: Final = Path(__file__).parents[1] / "docs" / "openapi.json"
DOCUMENT: Final[dict[str, Any]] = json.loads(COMMITTED.read_text("utf-8"))
