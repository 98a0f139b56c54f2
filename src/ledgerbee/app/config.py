"""Settings, from environment variables (documented in docs/operations/configuration.md)."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    DirectoryPath,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ledgerbee.app.cell_settings import CellSettings, cells_of_json
from ledgerbee.app.e_invoice_settings import check_as4, check_token
from ledgerbee.core.cells import DEFAULT_CELL, MARK

PREFIX: Final = "LEDGERBEE_"
#: No setting: where commands that call an API find their key, which on a command line every user of a machine can see.
KEY_VARIABLE: Final = "LEDGERBEE_API_KEY"
#: No host (the socket), one or several, each with or without a port. Each part is without what begins the next one: a
#: password that isn't percent-encoded must not be taken for a host, which messages show.
_POSTGRES: Final = re.compile(
    r"postgres(?:ql)?://(?:[^\s@/?#\[\]]*@)?(?P<hosts>(?:(?:\[[^\]\s]+\]|[^\s@/?#:,\[\]]*)(?::\d*)?(?:,|(?=[/?]|$)))*)"
    r"(?:/[^\s@/?#]*)?(?:\?(?P<options>[^\s=&#]+=[^\s&#]*(?:&[^\s=&#]+=[^\s&#]*)*))?"
)
_PORTS: Final = range(1, 2**16)
#: Nobody's address: servers on the internet refuse it.
_MAIL_FROM: Final = "invoices@ledgerbee.localhost"
_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

T = TypeVar("T")


class Settings(BaseSettings):
    """What an operator can set. Every field is documented; a test holds the page to this class.

    Values that are refused are never repeated: an address may carry a password.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", populate_by_name=True, hide_input_in_errors=True
    )

    database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "LEDGERBEE_DATABASE_URL"),
        description="PostgreSQL to use, logging in as the role that owns the schema. Unset: the embedded one.",
    )
    database_app_url: str | None = Field(
        default=None,
        description="Login of the API's role itself. Unset: DATABASE_URL, then SET ROLE ledgerbee_app.",
    )
    database_worker_url: str | None = Field(
        default=None,
        description="Login of the worker's role itself. Unset: DATABASE_URL, then SET ROLE ledgerbee_worker.",
    )
    database_backup_url: str | None = Field(
        default=None,
        description="Login for backups of DATABASE_URL, a role with BYPASSRLS. Unset: DATABASE_URL.",
    )
    data_dir: Path | None = Field(
        default=None, description="Folder of the embedded database. Unset: the platform's user data folder."
    )
    pool_size: int = Field(default=16, ge=1, le=200, description="Database connections of one API process.")
    smtp_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("SMTP_URL", "LEDGERBEE_SMTP_URL"),
        description="Mail server: smtps://user:password@host:465, smtp+starttls://host:587 (STARTTLS demanded), "
        "smtp://host:587 (STARTTLS when offered).",
    )
    mail_from: str = Field(
        default=_MAIL_FROM, description="Sender of mail, an address; replies go to the company's own."
    )
    mail_bounce_domain: str | None = Field(
        default=None,
        description="Domain that mail comes back to, as bounces+ID@domain, each with the id of its mail. Unset: the "
        "sender's address.",
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Browser origins that may call the API, separated by commas; * for any."
    )
    public_url: str | None = Field(
        default=None,
        description="Address at which this installation is reached from outside, https://host, for links in mail. "
        "Unset: where `serve` listens, if that is this machine alone and mail stays on it; else no links.",
    )
    processes: int | None = Field(
        default=None, ge=1, le=64, description="API processes of `serve`. Unset: one per core, at most 8."
    )
    trusted_proxies: str = Field(
        default="127.0.0.1",
        description="Addresses and networks of proxies whose X-Forwarded-For is believed, separated by commas.",
    )
    max_import_mb: int = Field(
        default=10_240,
        ge=1,
        le=1_048_576,
        description="Longest file that POST /v2/journal-entries/import takes, in MiB.",
    )
    max_new_companies: int = Field(
        default=100, ge=0, description="Companies that one company may create over the API within 24 hours."
    )
    max_waiting_imports_mb: int = Field(
        default=20_480,
        ge=1,
        description="What one company's imports may have waiting in the database, in MiB; one file at least.",
    )
    max_connections: int = Field(
        default=1000, ge=10, le=100_000, description="Open connections of one API process; idle ones make room."
    )
    max_connections_per_client: int = Field(
        default=100,
        ge=1,
        description="Open connections of one client address (IPv6: /64) to one API process; trusted proxies have none.",
    )
    header_timeout: int = Field(default=20, ge=1, le=600, description="Seconds that a request's header may take.")
    body_timeout: int = Field(
        default=30, ge=1, le=600, description="Seconds in which a body must bring 500 bytes a second on average."
    )
    keep_alive: int = Field(
        default=30, ge=1, le=600, description="Seconds that a connection may be idle between two requests."
    )
    fonts_dir: DirectoryPath | None = Field(
        default=None, description="Folder of fonts for what the shipped ones lack on printed documents."
    )
    attachments_dir: Path | None = Field(
        default=None, description="Folder of attached files. Unset: `attachments` in the data folder."
    )
    attachments_bucket: str | None = Field(
        default=None, description="Bucket for attached files instead of a folder, at any service that speaks S3."
    )
    attachments_bucket_endpoint: str | None = Field(
        default=None, description="Address of that service, https://host or http://host:port. Unset: Amazon's."
    )
    attachments_bucket_region: str | None = Field(
        default=None, description="Region of the bucket, where there are any."
    )
    attachments_bucket_key_id: SecretStr | None = Field(
        default=None, description="Access key for the bucket. Unset: the AWS_ variables, or the machine's own role."
    )
    attachments_bucket_secret: SecretStr | None = Field(
        default=None, validate_default=True, description="Secret of that access key."
    )
    einvoice_dir: Path | None = Field(
        default=None, description="Folder that e-invoices are put into. Unset: `e-invoices` in the data folder."
    )
    einvoice_url: str | None = Field(
        default=None, description="Address of an access point that e-invoices are sent to instead of a folder."
    )
    einvoice_token: SecretStr | None = Field(default=None, description="Bearer token for that access point.")
    einvoice_as4_dir: DirectoryPath | None = Field(
        default=None, description="Folder of the keys by which that access point is sent to by AS4."
    )
    cell: str = Field(
        default=DEFAULT_CELL,
        description="Mark of the cell that DATABASE_URL is: two hexadecimal digits, in every new secret.",
    )
    cells: Annotated[dict[str, CellSettings], NoDecode] = Field(
        default={},
        description="Other cells that the API serves, as JSON: `database_url` and `attachments_dir` by their marks.",
    )
    secret_keys: SecretStr | None = Field(
        default=None,
        description="Keys that stored secrets are encrypted with, separated by commas, the newest first; each is 32 "
        "bytes as URL-safe base64. Unset: one in a file.",
    )
    secret_key_file: Path | None = Field(
        default=None, description="File of that key. Unset: `secret.key` in the data folder, made when it is needed."
    )
    stripe_url: str | None = Field(default=None, description="Address of Stripe's API. Unset: Stripe's own.")
    quickpay_url: str | None = Field(default=None, description="Address of QuickPay's API. Unset: QuickPay's own.")
    webhooks_allow_loopback: bool | None = Field(
        default=None,
        description="Whether webhooks may go to this machine, by plain http too: for development, true or false. "
        "Unset: under a `serve` that listens on this machine alone and has neither a public address nor a mail server.",
    )
    rates_fetch: bool = Field(
        default=True, description="Whether the worker fetches new exchange rates every day: true or false."
    )
    rates_url: str | None = Field(
        default=None,
        description="Address of the rates: the European Central Bank's XML, CSV or zipped CSV. Unset: the bank's own.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The least level that is logged: DEBUG, INFO, WARNING or ERROR."
    )

    @field_validator("database_url", "database_app_url", "database_worker_url", "database_backup_url")
    @classmethod
    def _is_postgres(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = _POSTGRES.fullmatch(url)
        if parts is None:
            raise ValueError("must be postgresql://user:password@host:port/name, special characters percent-encoded")
        ports = re.findall(r":(\d+)(?:,|$)", parts["hosts"]) + re.findall(r"(?:^|&)port=(\d+)", parts["options"] or "")
        if not all(int(port[:6]) in _PORTS for port in ports):
            raise ValueError("must have a port from 1 to 65535")
        return url

    @field_validator("cell")
    @classmethod
    def _is_a_mark(cls, mark: str) -> str:
        if not MARK.fullmatch(mark):
            raise ValueError("must be two hexadecimal digits, such as 01")
        return mark

    @field_validator("cells")
    @classmethod
    def _are_other_cells(cls, cells: dict[str, CellSettings], info: ValidationInfo) -> dict[str, CellSettings]:
        for mark, cell in cells.items():
            if not MARK.fullmatch(mark) or mark == info.data.get("cell"):
                raise ValueError("must have marks of two hexadecimal digits, and not that of LEDGERBEE_CELL")
            cls._is_postgres(cell.database_url)
            if cell.attachments_dir is None and info.data.get("attachments_bucket") is None:
                raise ValueError("must name an attachments_dir for each cell, as there is no bucket")
        folders = [cell.attachments_dir.expanduser().resolve() for cell in cells.values() if cell.attachments_dir]
        if len(set(folders)) < len(folders):
            raise ValueError("must name an attachments_dir of its own for each cell: no two databases may share one")
        return cells

    @field_validator("smtp_url")
    @classmethod
    def _is_mail_server(cls, url: str | None) -> str | None:
        if url is None:
            return None
        from ledgerbee.platform.mail import MODES  # noqa: PLC0415  most commands need no mail

        try:
            server = urlsplit(url)
            complete = server.scheme in MODES and bool(server.hostname) and server.port != 0
        except ValueError:  # a port that is no number; often a password with an unquoted character
            complete = False
        # What goes on behind the host, or has a second @, is a password with a character that begins another part.
        if (
            not complete
            or server.netloc.count("@") > 1
            or url.removeprefix(f"{server.scheme}://{server.netloc}").strip("/")
        ):
            raise ValueError(
                "must be smtp://user:password@host:port, smtp+starttls://… or smtps://…, special characters "
                "percent-encoded"
            )
        return url

    @field_validator("mail_from")
    @classmethod
    def _is_sender(cls, sender: str) -> str:
        if sender == _MAIL_FROM:
            return sender
        from ledgerbee.platform.mail import sender_address  # noqa: PLC0415  most commands need no mail

        sender_address(sender)
        return sender

    @field_validator("mail_bounce_domain")
    @classmethod
    def _is_a_domain(cls, domain: str | None) -> str | None:
        if domain is None:
            return None
        from ledgerbee.platform.mail import sender_address  # noqa: PLC0415  most commands need no mail

        try:  # what stands in `<>` would be read as the address
            return sender_address(f"bounces@{domain.replace('<', ' ')}").removeprefix("bounces@")
        except ValueError:
            raise ValueError("must be a domain, such as bounces.example.com") from None

    @property
    def sends_from_default(self) -> bool:
        """Whether mail goes out under the default address, which no server on the internet takes."""
        return self.smtp_url is not None and self.mail_from == _MAIL_FROM

    @field_validator(
        "attachments_bucket_endpoint", "rates_url", "public_url", "einvoice_url", "stripe_url", "quickpay_url"
    )
    @classmethod
    def _is_web_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            server = urlsplit(url)
            complete = server.scheme in {"http", "https"} and bool(server.hostname) and server.port != 0
        except ValueError:
            complete = False
        if not complete or "@" in server.netloc:
            raise ValueError("must be https://host or http://host:port, without a user")
        return url

    @field_validator("attachments_bucket_endpoint", "public_url")
    @classmethod
    def _ends_plainly(cls, url: str | None) -> str | None:
        if url and re.search(r"[?#\s\"<>]", url):
            raise ValueError("must have nothing behind its host and path")
        return url.rstrip("/") if url else None

    @field_validator("database_app_url", "database_worker_url", "database_backup_url")
    @classmethod
    def _has_an_owner(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url and "database_url" in info.data and info.data["database_url"] is None:
            raise ValueError("goes with a DATABASE_URL: the schema needs its owner's login too")
        return url

    @field_validator("data_dir", "attachments_dir", "einvoice_dir")
    @classmethod
    def _can_be_a_folder(cls, path: Path | None) -> Path | None:
        try:
            is_other = path is not None and path.expanduser().exists() and not path.expanduser().is_dir()
        except (OSError, RuntimeError) as fault:  # a name that is too long; a `~` of nobody
            raise ValueError(f"must be a folder: {getattr(fault, 'strerror', None) or fault}") from None
        if is_other:
            raise ValueError("must be a folder, and a file is there")
        return path

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: str) -> str:
        for proxy in (part.strip() for part in proxies.split(",")):
            try:
                if proxy != "*":
                    ip_network(proxy, strict=False)
            except ValueError:
                raise ValueError("must be addresses and networks, separated by commas, such as 10.0.0.0/8") from None
        return proxies

    @field_validator("secret_keys")
    @classmethod
    def _are_keys(cls, keys: SecretStr | None) -> SecretStr | None:
        for key in keys.get_secret_value().split(",") if keys else ():
            try:
                is_key = len(urlsafe_b64decode(key.strip())) == 32
            except ValueError:
                is_key = False
            if not is_key:
                raise ValueError("must be keys of 32 bytes as URL-safe base64, separated by commas")
        return keys

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if any(origin != "*" and not _ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError("must be origins, separated by commas, such as https://shop.example, or *")
        return origins

    @field_validator("attachments_bucket")
    @classmethod
    def _is_a_bucket(cls, name: str | None) -> str | None:
        if name is not None and not _BUCKET.fullmatch(name):
            raise ValueError("must be a bucket's name: 3 to 63 lower-case letters, digits, points and hyphens")
        return name

    @field_validator("attachments_bucket_endpoint", "attachments_bucket_region", "attachments_bucket_key_id")
    @classmethod
    def _has_a_bucket(cls, value: T, info: ValidationInfo) -> T:
        if value is not None and "attachments_bucket" in info.data and info.data["attachments_bucket"] is None:
            raise ValueError("goes with LEDGERBEE_ATTACHMENTS_BUCKET, which is not set")
        return value

    @field_validator("attachments_bucket_secret")
    @classmethod
    def _is_whole_key(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        key_id = info.data.get("attachments_bucket_key_id")
        if "attachments_bucket_key_id" in info.data and (key_id is None) != (secret is None):
            raise ValueError("LEDGERBEE_ATTACHMENTS_BUCKET_KEY_ID and LEDGERBEE_ATTACHMENTS_BUCKET_SECRET go together")
        return secret

    @field_validator("einvoice_token")
    @classmethod
    def _is_kept_secret(cls, token: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if token is not None and "einvoice_url" in info.data:
            check_token(token.get_secret_value(), info.data["einvoice_url"])
        return token

    @field_validator("einvoice_as4_dir")
    @classmethod
    def _can_send(cls, folder: Path | None, info: ValidationInfo) -> Path | None:
        if folder is not None and "einvoice_url" in info.data:
            check_as4(info.data["einvoice_url"])
        return folder

    @field_validator("cells", mode="before")
    @classmethod
    def _from_json(cls, cells: object) -> object:
        return cells_of_json(cells) if isinstance(cells, str) else cells

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _separated(cls, origins: object) -> object:
        return tuple(part for part in origins.replace(",", " ").split()) if isinstance(origins, str) else origins

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, level: object) -> object:
        return level.upper() if isinstance(level, str) else level


def variables_of(field: str) -> list[str]:
    """The environment variables that set a field, the one that goes first where there are two."""
    alias = Settings.model_fields[field].validation_alias
    return [str(choice) for choice in alias.choices] if isinstance(alias, AliasChoices) else [PREFIX + field.upper()]


def unknown_variables(environment: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """Variables that look like settings and are none, each with the setting that it may have meant."""
    known = [KEY_VARIABLE, *(variable for field in Settings.model_fields for variable in variables_of(field))]
    for name in sorted(environment):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            yield name, next(iter(get_close_matches(name.upper(), known, n=1, cutoff=0.75)), None)


def refusals(fault: ValidationError) -> list[str]:
    """What is wrong with the environment, a line a variable, without its value."""
    lines = []
    for error in fault.errors(include_input=False, include_context=False, include_url=False):
        name = str(error["loc"][0]) if error["loc"] else "settings"
        variable = variables_of(name)[0] if name in Settings.model_fields else name
        lines.append(f"{variable}: {error['msg'].removeprefix('Value error, ')}")
    return lines
