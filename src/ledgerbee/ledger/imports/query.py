"""What can be said of a file that is sent for import."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from ledgerbee.http.wire import OptionalLine
from ledgerbee.ledger.imports.formats.dates import DATE_FORMAT


class ImportQuery(BaseModel):
    """What is said of a file. What isn't said of a CSV file it has to settle by itself."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    file_name: OptionalLine | None = Field(None, description="Name of the file, for people")
    encoding: Literal["utf-8", "windows-1252"] | None = Field(
        None, description="CSV: the file's encoding. Default: UTF-8, and a file with anything else in it fails whole"
    )
    decimal_mark: Literal[",", "."] | None = Field(
        None, description="CSV: what stands before the decimals of all numbers"
    )
    date_format: Annotated[str, StringConstraints(pattern=f"^(?:{DATE_FORMAT})$")] | None = Field(
        None,
        description="CSV: how all dates are written: DD, MM and YYYY (or YY) in one of the usual orders, with `-`, "
        "`.`, `/` or nothing between them",
        examples=["DD/MM/YYYY"],
    )
    rate_units: Literal["1", "100"] | None = Field(
        None, description="CSV: how many units of the currency the exchange rates are the price of"
    )
    open_fiscal_years: bool = Field(False, description="Open the fiscal years that its rows need")
