"""Query parameters of an import of movements: for bodies that are the file itself."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from ledgerbee.http.wire import Id
from ledgerbee.ledger.imports.formats.dates import DATE_FORMAT
from ledgerbee.ledger.imports.model import CsvOptions
from ledgerbee.payments.providers.model import ProviderName


class PayoutImportQuery(BaseModel):
    """The same beside a body that is the file itself, and how that is to be read."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    provider: ProviderName | None = Field(
        None, description="For `text/csv`; JSON has its own. Default: the default provider"
    )
    bank_account_id: Id | None = Field(None, description="For `text/csv`; JSON has its own")
    encoding: Literal["utf-8", "windows-1252"] | None = Field(
        None, description="CSV: the file's encoding. Default: UTF-8"
    )
    decimal_mark: Literal[",", "."] | None = Field(
        None, description="CSV: what stands before decimals. Default: what all of the file settles"
    )
    date_format: Annotated[str, StringConstraints(pattern=f"^(?:{DATE_FORMAT})$")] | None = Field(
        None, description="CSV: how dates are written. Default: what all of the file settles", examples=["DD/MM/YYYY"]
    )

    @property
    def options(self) -> CsvOptions:
        """How the file is to be read."""
        return CsvOptions(self.encoding, self.decimal_mark, self.date_format)

    @property
    def is_told(self) -> bool:
        """Whether anything is said of a file."""
        return self != PayoutImportQuery()
