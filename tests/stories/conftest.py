"""Fixtures of the stories."""

from typing import Any

import pytest
from tests.conftest import Api, new_company
from tests.runtime.conftest import made, own_data, own_folder, reachable

__all__ = ["made", "own_data", "own_folder", "reachable", "us"]


@pytest.fixture
async def us(http: Any, database: Any, clock: Any) -> Api:
    """An American company: the example books are kept in dollars."""
    return await new_company(http, database, clock, "US")
