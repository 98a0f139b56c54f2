"""Every setting is checked when a command starts: all faults at once, without the values; unknown names are told."""

from typing import Any

import pytest
from pydantic import ValidationError

from ledgerbee.app.addresses import is_loopback
from ledgerbee.app.cli.serving import allows_loopback
from ledgerbee.app.config import PREFIX, Settings, refusals, unknown_variables, variables_of

SECRET = "hemmelig-kode"
BUCKET = {"LEDGERBEE_ATTACHMENTS_BUCKET": "vouchers"}
#: What a setting refuses.
REFUSED: dict[str, list[str]] = {
    "DATABASE_URL": [
        "books",
        f"mysql://owner:{SECRET}@host/books",
        *(f"postgresql://owner:{password}@host/books" for password in (f"a{mark}{SECRET}" for mark in "#@/?[] ")),
        f"postgresql://owner:pa@{SECRET}/word@host:5432/books",
        f"postgresql://owner:12?{SECRET}@host/books",
        *(f"postgresql://owner:{SECRET}@host{where}" for where in (":0/b", ":65536/b", ":99999/b", ":5432,b:65536/b")),
        f"postgresql://owner:{SECRET}@/books?host=/run/postgresql&port=65536",
    ],
    "LEDGERBEE_DATABASE_APP_URL": ["books", f"postgresql://ledgerbee_app:{SECRET}@host/books"],
    "LEDGERBEE_DATA_DIR": ["/dev/null", "/" + "x" * 300],
    "LEDGERBEE_POOL_SIZE": ["0", "-1", "201", "many", "1.5"],
    "SMTP_URL": [
        "mail.example",
        "http://mail.example",
        *(f"smtp://mailer:a{mark}{SECRET}@mail.example:25" for mark in "#@/?[]"),
        f"smtp://mailer:a@{SECRET}/b@mail.example:25",
        "smtp://mail.example:65536",
        "smtp://mail.example:25/inbox",
    ],
    "LEDGERBEE_MAIL_BOUNCE_DOMAIN": ["a@b.example", "bounces example", "b.example>\r\nRCPT TO:<x@y.example", "ø" * 300],
    "LEDGERBEE_ALLOWED_ORIGINS": ["shop.example", "https://shop.example/path", f"https://{SECRET}@shop.example"],
    "LEDGERBEE_PROCESSES": ["0", "65", "all"],
    "LEDGERBEE_TRUSTED_PROXIES": ["proxy.example", "10.0.0.0/33", "127.0.0.1,,"],
    "LEDGERBEE_MAX_IMPORT_MB": ["0", "9999999999"],
    "LEDGERBEE_FONTS_DIR": ["/dev/null/fonts"],
    "LEDGERBEE_ATTACHMENTS_DIR": ["/dev/null"],
    "LEDGERBEE_ATTACHMENTS_BUCKET": ["My Bucket", "x", "s3://vouchers"],
    "LEDGERBEE_ATTACHMENTS_BUCKET_ENDPOINT": ["minio:9000", f"https://key:{SECRET}@minio", "https://minio"],
    "LEDGERBEE_ATTACHMENTS_BUCKET_REGION": ["eu-west-1"],
    "LEDGERBEE_ATTACHMENTS_BUCKET_KEY_ID": [SECRET],
    "LEDGERBEE_ATTACHMENTS_BUCKET_SECRET": [SECRET],
    "LEDGERBEE_EINVOICE_DIR": ["/dev/null"],
    "LEDGERBEE_EINVOICE_URL": ["point.example", "ftp://point.example", f"https://key:{SECRET}@point.example"],
    "LEDGERBEE_EINVOICE_TOKEN": [SECRET, f"{SECRET}\n", f"{SECRET} x", f"{SECRET}ø"],
    "LEDGERBEE_EINVOICE_AS4_DIR": ["/dev/null", "/"],
    "LEDGERBEE_RATES_FETCH": ["perhaps"],
    "LEDGERBEE_RATES_URL": ["ecb.example", "ftp://ecb.example"],
    "LEDGERBEE_LOG_LEVEL": ["loud"],
}


def faults_of(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> list[str]:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    return refusals(caught.value)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        for variable in variables_of(field):
            monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize(("variable", "value"), [(name, value) for name, values in REFUSED.items() for value in values])
def test_a_value_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    (fault,) = faults_of(monkeypatch, {variable: value})
    assert fault.startswith(f"{variable}: ")
    assert SECRET not in fault
    assert "\n" not in fault


def test_all_faults_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    together = ("BUCKET", "DATABASE", "EINVOICE")  # one says whether another can be used
    alone = {name: values[0] for name, values in REFUSED.items() if not any(part in name for part in together)}
    named = [fault.partition(":")[0] for fault in faults_of(monkeypatch, alone)]
    assert sorted(named) == sorted(alone)


@pytest.mark.parametrize(
    "variables",
    [
        {
            "DATABASE_URL": "postgresql://owner@/books?host=/run/postgresql",
            "LEDGERBEE_DATABASE_APP_URL": "postgresql:///b",
        },
        {
            "DATABASE_URL": "postgres://owner:a%40b%2Fc%3A@[::1]:5432,b.example,c:5433/books?sslmode=verify-full&port=5433"
        },
        {"DATABASE_URL": "postgresql://owner:x@host", "SMTP_URL": "smtps://a%40b:c%2F@mail.example/"},
        {**BUCKET, "LEDGERBEE_ATTACHMENTS_BUCKET_REGION": "eu-west-1"},
        {**BUCKET, "LEDGERBEE_ATTACHMENTS_BUCKET_KEY_ID": "a", "LEDGERBEE_ATTACHMENTS_BUCKET_SECRET": "b"},
        {"LEDGERBEE_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8,::1, *"},
        {"LEDGERBEE_ALLOWED_ORIGINS": "https://shop.example, http://localhost:3000 *"},
        {"LEDGERBEE_DATA_DIR": "~/books", "LEDGERBEE_ATTACHMENTS_DIR": "/not/there/yet"},
    ],
)
def test_values_that_go_together(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Settings().model_dump(exclude_defaults=True)


def test_half_a_key_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    (fault,) = faults_of(monkeypatch, {**BUCKET, "LEDGERBEE_ATTACHMENTS_BUCKET_KEY_ID": "a"})
    assert "go together" in fault


def test_unknown_names_are_told_with_the_nearest_known_one() -> None:
    environment = {"LEDGERBEE_POOLSIZE": "5", "LEDGERBEE_XYZ": "1", "LEDGERBEE_POOL_SIZE": "5", "PATH": "/bin"}
    found: list[Any] = list(unknown_variables(environment))
    assert found == [("LEDGERBEE_POOLSIZE", "LEDGERBEE_POOL_SIZE"), ("LEDGERBEE_XYZ", None)]
    assert [*unknown_variables({f"{PREFIX}{field.upper()}": "1" for field in Settings.model_fields})] == []


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("127.0.0.1", True),
        ("127.0.0.0/8", True),
        ("::1", True),
        ("localhost", True),
        ("192.0.2.1", False),
        ("::", False),
    ],
)
def test_what_is_of_this_machine_alone(host: str, answer: bool) -> None:
    assert is_loopback(host) is answer


@pytest.mark.parametrize(
    ("host", "said", "answer"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("192.0.2.1", {}, False),
        ("127.0.0.1", {"smtp_url": "smtp://127.0.0.1:1025"}, False),
        ("127.0.0.1", {"public_url": "https://books.example"}, False),
        ("127.0.0.1", {"webhooks_allow_loopback": False}, False),
        ("192.0.2.1", {"webhooks_allow_loopback": True, "public_url": "https://books.example"}, True),
    ],
)
def test_webhooks_may_go_to_this_machine_while_nobody_else_has_to_do_with_it(
    host: str, said: dict[str, Any], answer: bool
) -> None:
    assert allows_loopback(Settings(**said), host) is answer
