"""Arrays in text form come to the database as what they are."""

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ledger_books import as_owner

from ledgerbee.platform import literals

#: What the database can keep as text; and what means something in an array.
stored = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
awkward = st.sampled_from(["", "NULL", "null", "{}", '"', "\\", '\\"', "a,b", " a ", "\n", "\\x41", "ø", "🦊"])


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.one_of(st.none(), stored, awkward), max_size=8),
    st.lists(st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)), max_size=8),
    st.lists(st.binary(max_size=40), max_size=8),
)
async def test_an_array_arrives_as_it_was(
    database_url: str, texts: list[str | None], numbers: list[int | None], binaries: list[bytes]
) -> None:
    connection: asyncpg.Connection[asyncpg.Record] = await as_owner(database_url)
    try:
        row = await connection.fetchrow(
            "SELECT $1::text::text[], $2::text::int[], $3::text::bytea[]",
            literals.text_array(texts),
            literals.nullable_array(numbers),
            literals.bytea_array(binaries),
        )
    finally:
        await connection.close()
    assert row is not None
    assert tuple(row) == (texts, numbers, binaries)
