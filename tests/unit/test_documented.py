"""Errors, events, settings, commands and metrics stand in the documents as they stand in the code."""

import re
from pathlib import Path

import pytest
from docs.reference import generate

from ledgerbee.app.mcp.tools import all_tools


@pytest.mark.parametrize("document", generate.documents(), ids=lambda path: path.name)
def test_a_document_repeats_the_code(document: Path) -> None:
    text = document.read_text()
    assert generate.renewed(text, generate.documents()[document]) == text, "`make docs` brings it up to date"


def test_every_error_code_means_one_thing() -> None:
    codes = [error.code for error in generate.error_codes()]
    assert len(codes) > 30
    assert sorted(set(codes)) == codes
    assert {error.code for error in generate.error_codes() if not 400 <= error.status < 600} == set()


def test_every_event_says_when_it_is_emitted() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| (.*) \|$", (generate.DOCS / "reference/events.md").read_text(), re.MULTILINE)
    assert set(generate.emitted_topics()) == {topic for topic, _ in rows}
    # A sentence for whoever reads events, of what happened; no function's word on what it does.
    sentence = r"(A|An|The|Entries|Fields|Settings) .+[.]$"
    past = r"\b(was|were|became|began|came|ended|stopped|changed|failed|set|made)\b"
    told_badly = [(topic, text) for topic, text in rows if not re.match(sentence, text) or not re.search(past, text)]
    assert told_badly == [], "docs/reference/events.md says in one sentence what happened: `A draft was deleted.`"


def test_an_error_of_no_operation_is_none_of_the_api() -> None:
    document = (generate.DOCS / "openapi.json").read_text()
    assert [code for code in generate.OF_NO_OPERATION if f'"{code}"' in document] == []
    assert {error.code for error in generate.error_codes()} >= generate.OF_NO_OPERATION


def test_every_log_event_is_documented() -> None:
    known = set(re.findall(r"`([a-z_.]+)`", (generate.DOCS / "operations/monitoring.md").read_text()))
    logged = {event for file in generate.SOURCE.rglob("*.py") for event in _logged(file.read_text())}
    assert "request.failed" in logged
    assert logged - known == set()


def _logged(source: str) -> set[str]:
    return set(re.findall(r'\.(?:debug|info|warning|error|exception|critical)\(\s*"([a-z_.]+)"', source))


def test_the_guide_names_every_tool_of_agents_once() -> None:
    guides = "".join(path.read_text("utf-8") for path in sorted((generate.DOCS / "guides").glob("agents*.md")))
    assert sorted(re.findall(r"^\| `([a-z_]+)` \|", guides, re.MULTILINE)) == sorted(all_tools())


def test_what_the_documents_point_at_is_there() -> None:
    """Links, and paths of code in backticks: from the repository's root or from the package."""
    root, package = generate.DOCS.parent, generate.SOURCE
    for document in (*root.glob("*.md"), *generate.DOCS.rglob("*.md"), *package.rglob("README.md")):
        text = document.read_text("utf-8")
        links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
        assert [link for link in links if not (document.parent / link).exists()] == [], document
        paths = re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.(?:py|sql|typ))?)`", text)
        assert [path for path in paths if not any((base / path).exists() for base in (root, package))] == [], document
