"""The committed OpenAPI document is the application's."""

import json
import re
from pathlib import Path

from ledgerbee.app.main import create_api

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"


def test_the_committed_document_is_what_the_application_says() -> None:
    assert json.loads(COMMITTED.read_text("utf-8")) == create_api().openapi(), "run `make openapi`"


def test_names_are_the_apis_not_the_codes() -> None:
    """No schema is called after a module or a generic class, and no property after a Python name."""
    schemas = create_api().openapi()["components"]["schemas"]
    assert [name for name in schemas if not re.fullmatch(r"[A-Z][A-Za-z0-9]+", name)] == []
    properties = [(name, field) for name, schema in schemas.items() for field in schema.get("properties", {}).items()]
    assert [(name, field) for name, (field, schema) in properties if "title" in schema] == []


def test_every_error_has_an_example_of_its_own() -> None:
    document = create_api().openapi()
    for address, path in document["paths"].items():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                media = answer.get("content", {}).get("application/json", {})
                if media.get("schema") != {"$ref": "#/components/schemas/ErrorResponse"}:
                    continue
                assert media["examples"], (address, status)
                assert set(re.findall(r"`([A-Z][A-Z_.]+)`: ", answer["description"])) <= set(media["examples"])
                for code, shown in media["examples"].items():
                    assert shown == {"$ref": f"#/components/examples/{code}"}
                    body = document["components"]["examples"][code]["value"]
                    assert (body["statusCode"], body["code"]) == (int(status), code)


def test_a_query_parameter_is_given_or_left_out() -> None:
    """None can be null (the reference has no such parameter), and the console sends none that nobody filled in."""
    for address, path in create_api().openapi()["paths"].items():
        for operation in path.values():
            for parameter in operation.get("parameters", []):
                schema = parameter["schema"]
                assert {"type": "null"} not in schema.get("anyOf", []), (address, parameter)
                assert "title" not in schema, (address, parameter)
                assert schema.get("type") != "object" or parameter["example"] == {}, (address, parameter)


def test_where_blank_means_null_the_document_takes_it() -> None:
    schemas = create_api().openapi()["components"]["schemas"]
    for name in ("CreateContactRequest", "UpdateCustomerRequest", "CreateVendorRequest", "UpdateCompanyRequest"):
        fields = schemas[name]["properties"]
        assert {"type": "string", "maxLength": 1000} in fields["phone"]["anyOf"], name
        assert {"type": "string", "pattern": r"^\s*$"} in fields["email"]["anyOf"], name
