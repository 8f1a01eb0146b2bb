"""Settings: one frozen object, read once from the environment, refused at boot when wrong."""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from portal.core.smtp import read_smtp_url

ROOT = Path(__file__).resolve().parents[2]


class ConfigurationError(Exception):
    """A setting is wrong; the message names the variable and the remedy."""


Days = Annotated[int, Field(ge=0, le=36_500)]
Rows = Annotated[int, Field(ge=0, le=100_000_000)]


class Settings(BaseModel):
    """Every setting of a deployment. The environment variable is the field's name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: str = Field("", description="SQLAlchemy URL; SQLite under `instance/` when empty")
    redis_url: str = Field("", description="Redis for limits shared by several machines; the database when empty")
    secret_key: str = Field(
        "",
        description="Signs sessions, hashes keys, encrypts secrets; 32 characters or more. Made and kept "
        "in `instance/secret_key` when empty; several machines must share one",
    )
    base_url: str = Field("", description="Address visitors use, as https://developers.example.com")
    self_url: str = Field("", description="Address at which the console reaches this very server; loopback when empty")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(8000, description="Port the server listens on")
    host: str = Field("127.0.0.1", description="Address the server listens on; 0.0.0.0 for every interface")
    workers: Annotated[int, Field(ge=1, le=64)] = Field(2, description="Server processes")
    threads: Annotated[int, Field(ge=2, le=64)] = Field(
        4, description="Threads in each server process; one serves a console call while another waits for it"
    )
    store_timeout: Annotated[float, Field(ge=0.5, le=600)] = Field(
        4, description="Seconds a request waits for a store: to connect, for a lock, for a statement"
    )
    request_timeout: Annotated[float, Field(gt=0, le=600)] = Field(
        30, description="Seconds within which the body of a request must arrive"
    )
    shutdown_timeout: Annotated[int, Field(ge=1, le=1800)] = Field(
        30, description="Seconds that requests and deliveries under way have to end after a request to stop"
    )
    delivery_threads: Annotated[int, Field(ge=1, le=128)] = Field(
        64, description="Messages a worker process sends at a time: webhooks and outgoing calls"
    )
    trusted_proxies: Annotated[int, Field(ge=0, le=8)] = Field(
        0, description="Number of proxies in front whose X-Forwarded-For is believed"
    )
    outgoing_allow: tuple[str, ...] = Field(
        (), description="Networks in CIDR form, comma separated, that outgoing calls may reach besides public ones"
    )
    smtp_url: str = Field(
        "",
        description="smtp://user:password@host:587, encrypted by STARTTLS, or smtps://…; mail is logged when empty",
    )
    mail_from: str = Field("Slipway <no-reply@slipway.example>", description="Sender of mail")
    mail_reply_to: str = Field("", description="Address that receives replies to mail; the site's contact when empty")
    session_idle_hours: Annotated[int, Field(ge=1, le=8760)] = Field(
        336, description="Hours without a visit after which a session of a browser ends"
    )
    session_hours: Annotated[int, Field(ge=1, le=87_600)] = Field(
        2160, description="Hours after which a session of a browser ends in any case"
    )
    request_log_days: Days = Field(30, description="Days that the request log keeps a request; 0 keeps all")
    request_log_rows: Rows = Field(20_000, description="Requests that the log keeps for each tenant; 0 keeps all")
    event_days: Days = Field(90, description="Days that an event is kept; 0 keeps all")
    event_rows: Rows = Field(50_000, description="Events kept for each tenant; 0 keeps all")
    audit_days: Days = Field(365, description="Days that an entry of the audit trail is kept; 0 keeps all")
    audit_rows: Rows = Field(100_000, description="Entries of the audit trail kept for each tenant; 0 keeps all")
    incoming_log_days: Days = Field(30, description="Days that the incoming log keeps a message; 0 keeps all")
    incoming_log_rows: Rows = Field(5_000, description="Messages that it keeps for each tenant; 0 keeps all")
    import_days: Days = Field(30, description="Days that an imported CSV file and its result are kept; 0 keeps all")
    delivery_log_days: Days = Field(30, description="Days that a delivered or discarded message is kept; 0 keeps all")
    job_days: Days = Field(7, description="Days that a finished job, such as a sent mail, is kept; 0 keeps all")
    dead_job_days: Days = Field(90, description="Days that a job that failed for good is kept; 0 keeps all")
    metrics_token: str = Field("", description="Bearer token for /metrics from outside loopback")
    instance_path: Path = Field(ROOT / "instance", description="Folder for the SQLite file and the generated key")
    content_path: Path = Field(ROOT / "content", description="Folder of guides, errors and site texts")
    log_level: str = Field("INFO", description="Level of the log: DEBUG, INFO, WARNING, ERROR")
    debug: bool = Field(False, description="Pages are rendered afresh on each visit, for writers and developers")

    @field_validator("base_url", "self_url")
    @classmethod
    def _is_origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/")):
            raise ValueError("must be an origin such as https://developers.example.com")
        return value.rstrip("/")

    @field_validator("outgoing_allow", mode="before")
    @classmethod
    def _split_networks(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = tuple(part.strip() for part in value.split(",") if part.strip())
        for network in value:
            ipaddress.ip_network(network)
        return value

    @field_validator("database_url")
    @classmethod
    def _is_supported(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:", "postgresql:", "postgresql+psycopg:", "postgres:")):
            raise ValueError("must begin with sqlite: or postgresql:")
        return value

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis:// or rediss://")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _is_smtp(cls, value: str) -> str:
        if value:
            read_smtp_url(value)
        return value

    @field_validator("mail_from", "mail_reply_to")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value and ("@" not in parseaddr(value)[1] or len(value.splitlines()) > 1):
            raise ValueError("must be an email address, such as Slipway <no-reply@example.com>")
        return value

    @field_validator("log_level")
    @classmethod
    def _is_level(cls, value: str) -> str:
        if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @field_validator("secret_key")
    @classmethod
    def _is_long(cls, value: str) -> str:
        if value and len(value) < 32:
            raise ValueError("must have 32 characters or more; leave it empty to have one made")
        return value

    @property
    def is_secure(self) -> bool:
        """True where visitors come by HTTPS, so that cookies are marked Secure."""
        return self.base_url.startswith("https://")


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings from `environ`, fill in what may be derived.

    Raises ConfigurationError for a value that cannot be used.
    """
    given = {name: environ[name.upper()] for name in Settings.model_fields if environ.get(name.upper())}
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        raise ConfigurationError(_explain(error)) from None
    return settings.model_copy(update=_derived(settings))


def _explain(error: ValidationError) -> str:
    lines = [f"{str(part['loc'][0]).upper()}: {part['msg'].removeprefix('Value error, ')}" for part in error.errors()]
    return "; ".join(lines)


def _derived(settings: Settings) -> dict[str, Any]:
    derived: dict[str, Any] = {}
    if not settings.database_url:
        derived["database_url"] = f"sqlite:///{settings.instance_path / 'slipway.db'}"
    elif settings.database_url.startswith(("postgres:", "postgresql:")):
        derived["database_url"] = "postgresql+psycopg:" + settings.database_url.split(":", 1)[1]
    if not settings.secret_key:
        derived["secret_key"] = _kept_secret(settings.instance_path)
    if not settings.base_url:
        derived["base_url"] = f"http://localhost:{settings.port}"
    if not settings.self_url:
        derived["self_url"] = f"http://127.0.0.1:{settings.port}"
    return derived


def _kept_secret(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "secret_key"
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(handle, "w") as stream:
        stream.write(secrets.token_urlsafe(48))
    return file.read_text().strip()
