"""The committed OpenAPI document is the application's."""

import json
from pathlib import Path

from ledgerbee.app.main import create_api

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"


def test_the_committed_document_is_what_the_application_says() -> None:
    assert json.loads(COMMITTED.read_text("utf-8")) == create_api().openapi(), "run `make openapi`"
