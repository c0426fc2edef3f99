"""Settings, all from the environment."""

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field
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
    zone: Annotated[ZoneInfo, Field(description="The plan's time zone: on which day a moment falls.")] = ZoneInfo(
        "America/New_York"
    )
    max_message_mb: Annotated[int, Field(ge=1, le=512, description="Larger messages are parked unread.")] = 64

    @property
    def keys_folder(self) -> Path:
        return self.keys or self.data / "keys"
