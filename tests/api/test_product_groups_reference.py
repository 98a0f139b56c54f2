"""The reference's page on product groups, restated as tables, and held against the document and live answers.

Every schema, field, type, nullability, default, enum, status, example and text that the page prints is here once.
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

import pytest
from tests.api.catalog_steps import group_body, new_product, problems
from tests.conftest import Api
from tests.document import DOCUMENT

from ledgerbee.tenancy.api_keys import actions as api_keys

EXAMPLE_ID: Final = "550e8400-e29b-41d4-a716-446655440000"
MOMENT: Final = "2024-01-15T10:30:00Z"
NOTHING: Final = object()


@dataclass(frozen=True)
class Row:
    """One property as the page prints it."""

    name: str
    type: str
    text: str
    example: Any = NOTHING
    required: bool = False


NUMBER = "Unique product-group number within the company"
NAME = "Name of the product group"
DOMESTIC = "Ledger account ID for domestic sales"
EU = "Ledger account ID for EU sales (Rubric B)"
ABROAD = "Ledger account ID for sales abroad (Rubric C)"
WITHOUT_VAT = "Ledger account ID for domestic sales without VAT"

#: Properties in the order of the page's example bodies.
SCHEMAS: Final[dict[str, tuple[Row, ...]]] = {
    "ListProductGroupsResponse": (
        Row("data", "ProductGroupResponse[]", "Page of product groups", required=True),
        Row("total", "number", "Total number of matching product groups", 42, required=True),
        Row("page", "number", "Current page number", 1, required=True),
        Row("limit", "number", "Items per page", 25, required=True),
        Row("totalPages", "number", "Total number of pages", 2, required=True),
    ),
    "ProductGroupResponse": (
        Row("id", "string", "The unique identifier of the product group", EXAMPLE_ID, required=True),
        Row("number", "string", NUMBER, "PG001", required=True),
        Row("name", "string", NAME, "Office Supplies", required=True),
        Row("description", "string | null", "Optional description", "Products for office use"),
        Row("domesticAccountId", "string", DOMESTIC, EXAMPLE_ID, required=True),
        Row("domesticAccountNumber", "number | null", "Domestic account number", 1010),
        Row("domesticAccountName", "string | null", "Domestic account name", "Sales — domestic"),
        Row("euAccountId", "string | null", EU),
        Row("euAccountNumber", "number | null", "EU account number"),
        Row("euAccountName", "string | null", "EU account name"),
        Row("abroadAccountId", "string | null", ABROAD),
        Row("abroadAccountNumber", "number | null", "Abroad account number"),
        Row("abroadAccountName", "string | null", "Abroad account name"),
        Row("domesticWithoutVatAccountId", "string | null", WITHOUT_VAT),
        Row("domesticWithoutVatAccountNumber", "number | null", "Domestic-without-VAT account number"),
        Row("domesticWithoutVatAccountName", "string | null", "Domestic-without-VAT account name"),
        Row("productCount", "number", "Number of products in this group (list responses only)", 12),
        Row("createdAt", "string · date-time", "When the product group was created", MOMENT, required=True),
        Row("updatedAt", "string · date-time", "When the product group was last updated", MOMENT, required=True),
    ),
    "CreateProductGroupRequest": (
        Row("number", "string", NUMBER, "PG001", required=True),
        Row("name", "string", NAME, "Office Supplies", required=True),
        Row("description", "string", "Optional description", "Products for office use"),
        Row(
            "domesticAccountId",
            "string",
            f"{DOMESTIC}. Must reference an existing account that carries a VAT code valid for sales.",
            EXAMPLE_ID,
            required=True,
        ),
        Row("euAccountId", "string", f"{EU}. Must carry a sales-valid VAT code.", required=True),
        Row("abroadAccountId", "string", f"{ABROAD}. Must carry a sales-valid VAT code.", required=True),
        Row("domesticWithoutVatAccountId", "string", f"{WITHOUT_VAT}.", required=True),
    ),
    "UpdateProductGroupRequest": (
        Row("number", "string", NUMBER, "PG001"),
        Row("name", "string", NAME, "Office Supplies"),
        Row("description", "string", "Optional description", "Products for office use"),
        Row("domesticAccountId", "string", DOMESTIC),
        Row("euAccountId", "string", EU),
        Row("abroadAccountId", "string", ABROAD),
        Row("domesticWithoutVatAccountId", "string", WITHOUT_VAT),
    ),
}

#: The page's order of properties: the required ones first.
PRINTED_ORDER: Final = {
    "ProductGroupResponse": """
        id number name domesticAccountId createdAt updatedAt
        description domesticAccountNumber domesticAccountName euAccountId euAccountNumber euAccountName
        abroadAccountId abroadAccountNumber abroadAccountName domesticWithoutVatAccountId
        domesticWithoutVatAccountNumber domesticWithoutVatAccountName productCount
    """,
    "CreateProductGroupRequest": """
        number name domesticAccountId euAccountId abroadAccountId domesticWithoutVatAccountId
        description
    """,
}

_GROUP_EXAMPLE: Final = {
    "id": EXAMPLE_ID,
    "number": "PG001",
    "name": "Office Supplies",
    "description": "Products for office use",
    "domesticAccountId": EXAMPLE_ID,
    "domesticAccountNumber": 1010,
    "domesticAccountName": "Sales — domestic",
    "euAccountId": "euAccountId",
    "euAccountNumber": 0,
    "euAccountName": "euAccountName",
    "abroadAccountId": "abroadAccountId",
    "abroadAccountNumber": 0,
    "abroadAccountName": "abroadAccountName",
    "domesticWithoutVatAccountId": "domesticWithoutVatAccountId",
    "domesticWithoutVatAccountNumber": 0,
    "domesticWithoutVatAccountName": "domesticWithoutVatAccountName",
    "productCount": 12,
    "createdAt": MOMENT,
    "updatedAt": MOMENT,
}
_CREATE_EXAMPLE: Final = {
    "number": "PG001",
    "name": "Office Supplies",
    "description": "Products for office use",
    "domesticAccountId": EXAMPLE_ID,
    "euAccountId": "euAccountId",
    "abroadAccountId": "abroadAccountId",
    "domesticWithoutVatAccountId": "domesticWithoutVatAccountId",
}
#: The example bodies that the page makes of the schemas: what has no example shows its name or 0.
EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "ProductGroupResponse": _GROUP_EXAMPLE,
    "ListProductGroupsResponse": {"data": [_GROUP_EXAMPLE], "total": 42, "page": 1, "limit": 25, "totalPages": 2},
    "CreateProductGroupRequest": _CREATE_EXAMPLE,
    "UpdateProductGroupRequest": _CREATE_EXAMPLE | {"domesticAccountId": "domesticAccountId"},
}


@dataclass(frozen=True)
class Page:
    """One operation as the page prints it."""

    method: str
    path: str
    title: str
    scope: str
    status: int
    answer: str
    schema: str | None
    body: str | None = None
    says: str = ""


ONE: Final = "/v1/product-groups/{productGroupId}"
OPERATIONS: Final = (
    Page(
        "get",
        "/v1/product-groups",
        "List product groups",
        "products-read",
        200,
        "Paginated list of product groups for the company",
        "ListProductGroupsResponse",
        says="Retrieves a paginated list of your company's product groups. Each list item includes the number of "
        "products in the group.",
    ),
    Page(
        "post",
        "/v1/product-groups",
        "Create a product group",
        "products-write",
        201,
        "Product group created successfully",
        "ProductGroupResponse",
        "CreateProductGroupRequest",
        says="Creates a product group. A group maps its products to the ledger accounts used for domestic, EU (Rubric "
        "B), abroad (Rubric C), and domestic-without-VAT sales.",
    ),
    Page(
        "get",
        ONE,
        "Get a product group",
        "products-read",
        200,
        "Product group details",
        "ProductGroupResponse",
        says="Returns a single product group, including its sales-account mappings (domestic, EU, abroad, and "
        "domestic-without-VAT).",
    ),
    Page(
        "delete",
        ONE,
        "Delete a product group",
        "products-write",
        204,
        "Product group deleted successfully",
        None,
        says="Deletes a product group.",
    ),
    Page(
        "patch",
        ONE,
        "Update a product group",
        "products-write",
        200,
        "Product group updated successfully",
        "ProductGroupResponse",
        "UpdateProductGroupRequest",
        says="Updates a product group. Only the fields provided in the request are changed.",
    ),
)


@dataclass(frozen=True)
class Parameter:
    """One query parameter as the page prints it."""

    name: str
    type: str
    text: str
    default: Any = None
    minimum: int | None = None
    maximum: int | None = None
    enum: tuple[str, ...] | None = None
    example: str | None = None


PARAMETERS: Final = (
    Parameter("page", "number", "Page number (1-indexed)", default=1, minimum=1),
    Parameter("limit", "number", "Maximum number of items per page", default=25, minimum=1, maximum=100),
    Parameter("search", "string", "Prefix search on name or number", example="Office"),
    Parameter("sortBy", "string", "Field to sort by", default="createdAt", enum=("number", "name", "createdAt")),
    Parameter("sortOrder", "string", "Sort direction", default="DESC", enum=("ASC", "DESC")),
)

by_schema = pytest.mark.parametrize("schema", SCHEMAS)
by_operation = pytest.mark.parametrize("page", OPERATIONS, ids=lambda page: page.title)


#: Fields that the page doesn't have: extensions.
EXTENSIONS: Final = ("deferRevenue",)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document as far as the page goes."""
    document = deepcopy(DOCUMENT)
    for name in SCHEMAS:
        schema = document["components"]["schemas"][name]
        for field in EXTENSIONS:
            if schema["properties"].pop(field, None) is not None and field in schema.get("required", []):
                schema["required"].remove(field)
    for operations in document["paths"].values():
        for operation in operations.values():
            if operation["tags"] == ["Product Groups"]:
                _drop_extensions(operation["responses"])
    return document


def _drop_extensions(value: Any) -> None:
    """Take extensions out of examples."""
    if isinstance(value, dict):
        for field in EXTENSIONS:
            value.pop(field, None)
        value = list(value.values())
    for one in value if isinstance(value, list) else ():
        _drop_extensions(one)


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with what it refers to in its place."""
    if "$ref" not in schema:
        return schema
    named: dict[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return named | {key: value for key, value in schema.items() if key != "$ref"}


def printed_type(schema: dict[str, Any]) -> str:
    """A schema's type in the page's notation."""
    if "anyOf" in schema:
        return " | ".join(printed_type(option) for option in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema["type"] == "array":
        return printed_type(schema["items"]) + "[]"
    return f"{schema['type']} · {schema['format']}" if "format" in schema else str(schema["type"])


def example_of(document: dict[str, Any], name: str, schema: dict[str, Any]) -> Any:
    """The example that the page's generator makes of a schema."""
    if "examples" in schema:
        return schema["examples"][0]
    if "anyOf" in schema:
        return example_of(document, name, schema["anyOf"][0])
    schema = resolved(document, schema)
    if schema["type"] == "object":
        return {key: example_of(document, key, value) for key, value in schema["properties"].items()}
    if schema["type"] == "array":
        return [example_of(document, name, schema["items"])]
    return 0 if schema["type"] == "number" else name


@by_schema
def test_properties(document: dict[str, Any], schema: str) -> None:
    ours = document["components"]["schemas"][schema]
    assert ours["type"] == "object"
    found = tuple(
        Row(
            name,
            printed_type(value),
            value["description"],
            value["examples"][0] if "examples" in value else NOTHING,
            required=name in ours.get("required", []),
        )
        for name, value in ours["properties"].items()
    )
    assert found == SCHEMAS[schema]
    assert not any("default" in value for value in ours["properties"].values())


@pytest.mark.parametrize("schema", PRINTED_ORDER)
def test_order_when_the_required_ones_come_first(document: dict[str, Any], schema: str) -> None:
    ours = document["components"]["schemas"][schema]
    required = [name for name in ours["properties"] if name in ours["required"]]
    optional = [name for name in ours["properties"] if name not in ours["required"]]
    assert [*required, *optional] == PRINTED_ORDER[schema].split()


@by_schema
def test_examples(document: dict[str, Any], schema: str) -> None:
    example = example_of(document, schema, {"$ref": f"#/components/schemas/{schema}"})
    assert example == EXAMPLES[schema]
    assert list(example) == list(EXAMPLES[schema])


@pytest.mark.parametrize("schema", ["CreateProductGroupRequest", "UpdateProductGroupRequest"])
def test_unknown_fields_are_ruled_out(document: dict[str, Any], schema: str) -> None:
    assert document["components"]["schemas"][schema]["additionalProperties"] is False


@by_operation
def test_operations(document: dict[str, Any], page: Page) -> None:
    ours = document["paths"][page.path][page.method]
    assert ours["tags"] == ["Product Groups"]
    assert ours["summary"] == page.title
    assert ours["description"].startswith(page.says)
    assert ours["description"].endswith(f"### Required Scope\n\n- `{page.scope}`")
    assert ours["security"] == [{"apiKey": []}, {"oauth2": [page.scope]}]
    successes = {status: answer for status, answer in ours["responses"].items() if status.startswith("2")}
    assert list(successes) == [str(page.status)]
    assert successes[str(page.status)]["description"] == page.answer
    content = successes[str(page.status)].get("content")
    if page.schema is None:
        assert content is None
    else:
        schema = {"$ref": f"#/components/schemas/{page.schema}"}
        assert content == {"application/json": {"schema": schema, "example": example_of(document, "", schema)}}
    body = ours.get("requestBody")
    if page.body is None:
        assert body is None
    else:
        assert body["required"] is (page.method == "post")
        assert body["content"]["application/json"]["schema"] == {"$ref": f"#/components/schemas/{page.body}"}


def test_the_page_has_these_operations_and_no_other(document: dict[str, Any]) -> None:
    ours = [
        (method, path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if operation["tags"] == ["Product Groups"]
    ]
    assert ours == [(page.method, page.path) for page in OPERATIONS]


def test_search_is_explained(document: dict[str, Any]) -> None:
    text = document["paths"]["/v1/product-groups"]["get"]["description"]
    assert "Pass `?search=` to prefix-match on group name or number." in text


def test_query_parameters(document: dict[str, Any]) -> None:
    ours = document["paths"]["/v1/product-groups"]["get"]["parameters"]
    found = []
    for parameter in ours:
        schema = resolved(document, parameter["schema"])
        assert (parameter["in"], parameter["required"]) == ("query", False)
        assert schema.get("multipleOf", 1) == 1
        found.append(
            Parameter(
                parameter["name"],
                printed_type(schema),
                parameter["description"],
                schema.get("default"),
                schema.get("minimum"),
                schema.get("maximum"),
                tuple(schema["enum"]) if "enum" in schema else None,
                schema["examples"][0] if "examples" in schema else None,
            )
        )
    assert tuple(found) == PARAMETERS


@pytest.mark.parametrize("method", ["get", "delete", "patch"])
def test_path_parameter(document: dict[str, Any], method: str) -> None:
    ours = [p for p in document["paths"][ONE][method]["parameters"] if p["in"] == "path"]
    assert [(p["name"], p["required"], p["schema"]["type"], p["description"]) for p in ours] == [
        ("productGroupId", True, "string", "Product group ID")
    ]


_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "string": str,
    "string · date-time": str,
    "number": (int, float),
}


def assert_shape(answer: dict[str, Any], *, listed: bool) -> None:
    """A live answer has the page's properties, in its order, of its types; productCount only in a list."""
    rows = [row for row in SCHEMAS["ProductGroupResponse"] if listed or row.name != "productCount"]
    answer = {name: value for name, value in answer.items() if name not in EXTENSIONS}
    assert list(answer) == [row.name for row in rows]
    for row in rows:
        kind = row.type.removesuffix(" | null")
        if answer[row.name] is None:
            assert row.type != kind, row.name
        else:
            assert isinstance(answer[row.name], _TYPES[kind]), row.name
            assert not isinstance(answer[row.name], bool)


async def test_live_answers(api: Api) -> None:
    body = await group_body(api, number="PG001", name="Office Supplies")
    assert set(body) == {row.name for row in SCHEMAS["CreateProductGroupRequest"] if row.required}
    created = await api.post("/v1/product-groups", body)
    assert (created.status_code, created.headers["content-type"]) == (201, "application/json")
    assert_shape(created.json(), listed=False)
    assert created.json()["description"] is None
    group = f"/v1/product-groups/{created.json()['id']}"
    await new_product(api, productGroupId=created.json()["id"])

    listed = await api.get("/v1/product-groups")
    assert listed.status_code == 200
    assert list(listed.json()) == [row.name for row in SCHEMAS["ListProductGroupsResponse"]]
    for item in listed.json()["data"]:
        assert_shape(item, listed=True)
    explicit = await api.get(
        "/v1/product-groups", params={p.name: p.default for p in PARAMETERS if p.default is not None}
    )
    assert explicit.json() == listed.json()

    read = await api.get(group)
    assert read.status_code == 200
    assert_shape(read.json(), listed=False)
    for row in SCHEMAS["UpdateProductGroupRequest"]:
        value = read.json()[row.name] or "Products for office use"
        changed = await api.patch(group, {row.name: value})
        assert changed.status_code == 200, row.name
        assert_shape(changed.json(), listed=False)
    assert problems(await api.patch(group, {"productCount": 1})) == {"productCount": "whitelistValidation"}

    unused = await api.post("/v1/product-groups", body | {"number": "PG002", "description": "Products for office use"})
    assert unused.json()["description"] == "Products for office use"
    deleted = await api.delete(f"/v1/product-groups/{unused.json()['id']}")
    assert (deleted.status_code, deleted.content) == (204, b"")


@by_operation
async def test_live_scopes(api: Api, page: Page) -> None:
    async def credential(scope: str) -> str:
        async def work(context: Any) -> str:
            return (await api_keys.create(context, name="one scope", scopes=(scope,)))[1]

        secret: str = await api.run(work)
        return secret

    path = page.path.replace("{productGroupId}", "01890000-0000-7000-8000-000000000000")
    other = "products-write" if page.scope == "products-read" else "products-read"
    refused = await api.request(page.method, path, json={}, headers={"x-api-key": await credential(other)})
    assert (refused.status_code, refused.json()["code"]) == (403, "INSUFFICIENT_PERMISSIONS")
    assert refused.json()["details"] == {"requiredScopes": [page.scope]}
    let_in = await api.request(page.method, path, json={}, headers={"x-api-key": await credential(page.scope)})
    assert let_in.status_code in {200, 400, 404}
