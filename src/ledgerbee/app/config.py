"""Settings, from `LEDGERBEE_*` environment variables (documented in docs/operations/configuration.md)."""

from pathlib import Path

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an operator can set. Every field is documented; a test holds the page to this class."""

    model_config = SettingsConfigDict(env_prefix="LEDGERBEE_", extra="ignore", populate_by_name=True)

    database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "LEDGERBEE_DATABASE_URL"),
        description="PostgreSQL to use, logging in as the role that owns the schema. Unset: the embedded one.",
    )
    database_app_url: str | None = Field(
        default=None,
        description="Login of the application role itself. Unset: database_url, then SET ROLE ledgerbee_app.",
    )
    data_dir: Path | None = Field(
        default=None, description="Folder of the embedded database. Unset: the platform's user data folder."
    )
    pool_size: int = Field(default=10, ge=1, le=200, description="Database connections of one API process.")
    smtp_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("SMTP_URL", "LEDGERBEE_SMTP_URL"),
        description="Mail server: smtp://user:password@host:587 (STARTTLS when offered), smtps://host:465.",
    )
    mail_from: str = Field(
        default="invoices@ledgerbee.localhost", description="Sender of mail; replies go to the company's own address."
    )
    allowed_origins: tuple[str, ...] = Field(
        default=(), description='Browser origins that may call the API, as a JSON list; ["*"] for any.'
    )
    processes: int | None = Field(
        default=None, ge=1, le=64, description="API processes of `serve`. Unset: one per core."
    )
    public_url: str = Field(default="http://127.0.0.1:8000", description="Address under which the API is reached.")
    trusted_proxies: str = Field(
        default="127.0.0.1", description="Addresses of proxies whose X-Forwarded-For is believed."
    )
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")
