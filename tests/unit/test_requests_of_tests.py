"""What tests ask of servers ends by the test's own patience, never by a client's five seconds."""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
CALLS = {"get", "options", "head", "post", "put", "patch", "delete", "request", "stream", "Client", "AsyncClient"}


def impatient(text: str) -> Iterator[int]:
    """Lines that call httpx without saying how long to wait. Nothing is waited for within one process (`transport`)."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in CALLS:
            continue
        given = {keyword.arg for keyword in node.keywords}
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "httpx":
            options = [keyword.value for keyword in node.keywords if keyword.arg is None]
            if not given & {"timeout", "transport"} and not any('"timeout"' in _source(each) for each in options):
                yield node.lineno


def _source(node: ast.expr) -> str:
    return ast.unparse(node).replace("'", '"')


def test_each_call_without_patience_is_found() -> None:
    found = """
httpx.get(url)
httpx.post(url, json={"timeout": 1})
httpx.AsyncClient(base_url=url)
httpx.Client(
    **options)
"""
    assert list(impatient(found)) == [2, 3, 4, 5]
    patient = """
httpx.get(url, timeout=60)
httpx.AsyncClient(transport=httpx.ASGITransport(app))
httpx.Client(**{"timeout": 60, **options})
http.get(url)
"""
    assert list(impatient(patient)) == []


def test_every_request_says_how_long_it_waits() -> None:
    files = [(path.relative_to(TESTS), path.read_text()) for path in sorted(TESTS.rglob("*.py"))]
    found = [f"{path}:{line}" for path, text in files for line in impatient(text)]
    assert found == [], "`tests.patient` has them with a timeout"
