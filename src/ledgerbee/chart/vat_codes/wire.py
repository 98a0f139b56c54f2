"""VAT codes on the wire (contract 2.16; adding and changing them is ours)."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, cast

from pydantic import Field

from ledgerbee.chart.vat_codes.model import (
    MAX_RATES,
    SINCE_EVER,
    EInvoiceCategory,
    LabelledVatCode,
    Principle,
    VatCode,
    VatCodeFields,
    VatRate,
    VatType,
)
from ledgerbee.chart.vat_codes.rules import checks_of_days, checks_without_accounts, deductible_share, percent_of_share
from ledgerbee.core.errors import check_all
from ledgerbee.core.fields import fields_of
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.partial import View
from ledgerbee.http.wire import (
    Day,
    Id,
    IdText,
    Line,
    Number,
    Percent,
    RequestModel,
    ResponseModel,
    SharePercent,
    Text,
    Trimmed,
    changes_to,
    omitted,
)

Code = Annotated[str, Trimmed(20, min_length=1)]

_DEDUCTIBLE_PERCENT = "How much of a purchase's VAT can be deducted, in percent, up to 4 decimals; left out: 100"
_DEDUCTIBLE_SHARE = "The same as an exact fraction, for what is no decimal: two thirds. The percentage may be beside it"


class VatRateResponse(ResponseModel):
    """What a VAT code charges and deducts from a day on."""

    valid_from: date | None = Field(description="The first day; null for the first rate, which holds since ever")
    vat_rate: Number = Field(description="Percent", examples=[25])
    deductible_percent: Number = Field(description="How much of a purchase's VAT can be deducted", examples=[100])
    deductible_share: str = Field(description="The same as an exact fraction", examples=["1/1"])


class VatCodeResponse(ResponseModel):
    """A VAT code. `id` is the `vatCodeId` of journal lines."""

    id: IdText
    vat_code: str = Field(examples=["S01"])
    name: str = Field(examples=["Salg med 25 % moms"])
    vat_rate: Number = Field(description="Percent, as of today; see `rates`", examples=[25])
    type: VatType
    principle: Principle = Field(description="Gross: an amount contains its VAT. Net: VAT comes on top.")
    account_to_book_id: IdText | None = Field(description="The account that the VAT goes to")
    account_to_book_number: int | None = Field(examples=[7680])
    account_to_book_name: str | None = Field(examples=["Salgsmoms"])
    contra_account_to_book_id: IdText | None = Field(description="Reverse charge: the opposite goes here")
    contra_account_to_book_number: int | None
    contra_account_to_book_name: str | None
    deductible_percent: Number = Field(
        description="How much of a purchase's VAT can be deducted, as of today; see `rates`", examples=[100]
    )
    rates: list[VatRateResponse] = Field(
        description="In the order of their days. Documents and entries take the rate of their tax point: the day of "
        "delivery, else of issue or entry"
    )
    return_boxes: list[str] = Field(description="Where it goes in the VAT return", examples=[["OUTPUT_VAT"]])
    e_invoice_category: EInvoiceCategory | None = Field(description="VAT category of EN 16931")
    exemption_reason: str | None = Field(description="Why an invoice is without VAT, in English")
    exemption_reason_da: str | None = Field(description="Why an invoice is without VAT, in Danish")
    is_active: bool


class CreateVatCodeRequest(RequestModel):
    """What a new VAT code needs."""

    vat_code: Code = Field(description="Unique in the company", examples=["S01"])
    name: Line = Field(examples=["Salg med 25 % moms"])
    vat_rate: Percent
    type: VatType
    principle: Principle = Field(description="Gross: an amount contains its VAT. Net: VAT comes on top.")
    account_to_book_id: Id = omitted(description="The account that the VAT goes to. Needed for a rate over 0.")
    contra_account_to_book_id: Id = omitted(description="Makes it a reverse charge: the opposite goes here")
    deductible_percent: SharePercent = omitted(description=_DEDUCTIBLE_PERCENT)
    deductible_share: Line = omitted(description=_DEDUCTIBLE_SHARE, examples=["2/3"])
    return_boxes: list[Line] = omitted(description="Where it goes in the VAT return", max_length=10)
    e_invoice_category: EInvoiceCategory = omitted(
        description="VAT category of EN 16931. S: with a rate, and only then."
    )
    exemption_reason: Text = omitted(
        description="Why an invoice is without VAT, in English. One of the two is needed for categories E, AE, K, G, O."
    )
    exemption_reason_da: Text = omitted(description="Why an invoice is without VAT, in Danish")

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Its share, and whether its fields fit together."""
        return _checks(self)

    def code(self) -> tuple[VatCodeFields, VatRate]:
        """The code that the body describes, and its rate. Raises validation errors of its share and its fields."""
        check_all(*_checks(self))
        fields = VatCodeFields(
            code=self.vat_code,
            account_id=self.account_to_book_id,
            contra_account_id=self.contra_account_to_book_id,
            return_box="+".join(self.return_boxes or ()) or None,
            einvoice_category=self.e_invoice_category,
            **self.model_dump(include={"name", "type", "principle", "exemption_reason", "exemption_reason_da"}),
        )
        share = deductible_share(self.deductible_percent, self.deductible_share)
        return fields, VatRate(SINCE_EVER, self.vat_rate, share)


class UpdateVatCodeRequest(RequestModel):
    """The fields to change; the others stay as they are."""

    name: Line = omitted()
    is_active: Annotated[bool, Field(strict=True)] = omitted()


changes_of = changes_to(VatCodeFields, UpdateVatCodeRequest)


class VatRateRequest(RequestModel):
    """A rate from a day on."""

    valid_from: Day | None = Field(
        None, description="The first day; left out of the first rate, which holds since ever"
    )
    vat_rate: Percent
    deductible_percent: SharePercent = omitted(description=_DEDUCTIBLE_PERCENT)
    deductible_share: Line = omitted(description=_DEDUCTIBLE_SHARE, examples=["2/3"])


class UpdateVatRatesRequest(RequestModel):
    """All rates of a VAT code."""

    rates: list[VatRateRequest] = Field(min_length=1, max_length=MAX_RATES, description="In the order of their days")

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """The days in their order, and the share of each rate."""
        return _checks_of_rates(self.rates)

    def vat_rates(self) -> list[VatRate]:
        """The rates that the body describes. Raises validation errors of their days and shares."""
        check_all(*_checks_of_rates(self.rates))
        return [
            VatRate(
                SINCE_EVER if rate.valid_from is None else rate.valid_from,
                rate.vat_rate,
                deductible_share(rate.deductible_percent, rate.deductible_share, f"rates.{index}."),
            )
            for index, rate in enumerate(self.rates)
        ]


def _checks(body: CreateVatCodeRequest) -> Iterable[Check]:
    rate = View(
        rate=lambda: body.vat_rate,
        deductible_share=lambda: deductible_share(body.deductible_percent, body.deductible_share),
    )
    code = View(
        type=lambda: body.type,
        principle=lambda: body.principle,
        rates=lambda: (rate,),
        account_id=lambda: body.account_to_book_id,
        contra_account_id=lambda: body.contra_account_to_book_id,
        return_box=lambda: "+".join(body.return_boxes or ()),
        einvoice_category=lambda: body.e_invoice_category,
        exemption_reason=lambda: body.exemption_reason,
        exemption_reason_da=lambda: body.exemption_reason_da,
    )
    yield lambda: rate.deductible_share
    yield from checks_without_accounts(cast("VatCode", code))


def _checks_of_rates(rates: Sequence[VatRateRequest]) -> Iterable[Check]:
    yield from checks_of_days(len(rates), lambda index: rates[index].valid_from or SINCE_EVER)
    for index, rate in enumerate(rates):
        place = f"rates.{index}."
        yield lambda rate=rate, place=place: deductible_share(rate.deductible_percent, rate.deductible_share, place)  # type: ignore[misc]


def render(labelled: LabelledVatCode, today: date) -> VatCodeResponse:
    """A code on the wire, with the rate of `today`."""
    code, account, contra_account = labelled.code, labelled.account, labelled.contra_account
    present = code.rate_on(today)
    return VatCodeResponse(
        **{**fields_of(code), "rates": [_render_rate(rate) for rate in code.rates]},
        vat_code=code.code,
        vat_rate=present.rate,
        account_to_book_id=code.account_id,
        account_to_book_number=None if account is None else account.number,
        account_to_book_name=None if account is None else account.name,
        contra_account_to_book_id=code.contra_account_id,
        contra_account_to_book_number=None if contra_account is None else contra_account.number,
        contra_account_to_book_name=None if contra_account is None else contra_account.name,
        deductible_percent=percent_of_share(present.deductible_share),
        return_boxes=code.return_box.split("+") if code.return_box else [],
        e_invoice_category=None if code.einvoice_category is None else EInvoiceCategory(code.einvoice_category),
    )


def _render_rate(rate: VatRate) -> VatRateResponse:
    return VatRateResponse(
        valid_from=None if rate.valid_from == SINCE_EVER else rate.valid_from,
        vat_rate=rate.rate,
        deductible_percent=percent_of_share(rate.deductible_share),
        deductible_share=f"{rate.deductible_share.numerator}/{rate.deductible_share.denominator}",
    )
