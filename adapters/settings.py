"""Settings, all from the environment."""

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

CHECKOUT = Path(__file__).parents[1]


class Settings(BaseSettings):
    """Each field is the variable LEDGER_ and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="LEDGER_", env_ignore_empty=True)

    dsn: Annotated[
        str | None, Field(description="PostgreSQL's connection string; without it the embedded one runs.")
    ] = None
    data: Annotated[Path, Field(description="Folder of the embedded database.")] = CHECKOUT / ".ledger"
    keys: Annotated[Path | None, Field(description="Folder of the key files; `keys` in LEDGER_DATA by default.")] = None
    kafka: Annotated[str | None, Field(description="Kafka's bootstrap servers, host:port.")] = None
    group: Annotated[str, Field(description="Kafka consumer group.")] = "member-ledger"
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Field(description="Of the logs on stderr.")] = (
        "info"
    )
    zone: Annotated[
        str, Field(description="The plan's time zone, by its IANA name: on which calendar day a moment is.")
    ] = "America/New_York"
    lockout_failures: Annotated[int, Field(ge=3, le=5, description="How many failed sign-ins lock an account.")] = 5
    lockout_minutes: Annotated[int, Field(ge=15, le=30, description="For how long.")] = 15
    max_message_mb: Annotated[int, Field(ge=1, le=512, description="Larger messages are parked unread.")] = 64

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, zone: str) -> str:
        try:
            return ZoneInfo(zone).key
        except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown, a path out of the folder, a folder
            raise ValueError("not the IANA name of a time zone, like America/New_York") from None

    @property
    def keys_folder(self) -> Path:
        return self.keys or self.data / "keys"
