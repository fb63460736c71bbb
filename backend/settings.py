"""The settings of an installation, read once from the environment (and `.env`).

Every one stands in the README's table; `tests/test_architecture.py` holds the two together.
"""

from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[1]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", extra="ignore", populate_by_name=True)

    database_url: str = Field("", validation_alias="DATABASE_URL")
    redis_url: str = Field("", validation_alias="REDIS_URL")
    host: str = Field("127.0.0.1", validation_alias="SAMSVAR_HOST")
    port: int = Field(8000, validation_alias="PORT", ge=1, le=65535)
    base_url: str = Field("", validation_alias="SAMSVAR_BASE_URL")
    secret_key: str = Field("", validation_alias="SAMSVAR_SECRET_KEY")
    smtp_url: str = Field("", validation_alias="SAMSVAR_SMTP_URL")
    mail_from: str = Field("samsvar@localhost", validation_alias="SAMSVAR_MAIL_FROM")
    bounces: str = Field("", validation_alias="SAMSVAR_BOUNCES")
    web_password: str = Field("", validation_alias="SAMSVAR_WEB_PASSWORD")
    env: Literal["demo", "test", "production", ""] = Field("", validation_alias="SAMSVAR_ENV")
    trusted_proxies: str = Field("", validation_alias="SAMSVAR_TRUSTED_PROXIES")
    state: Path = Field(Path(".samsvar"), validation_alias="SAMSVAR_STATE")
    tick: float = Field(10.0, validation_alias="SAMSVAR_TICK", gt=0, le=60)
    test_clock: Path | None = Field(None, validation_alias="SAMSVAR_TEST_CLOCK")

    @model_validator(mode="after")
    def _fill_in(self) -> Self:
        if not self.env:
            # The embedded servers exist for the demo and the tests, so whoever names no database
            # is in the demo; whoever names one is in earnest until they say otherwise.
            self.env = "production" if self.database_url else "demo"
        if not self.base_url:
            self.base_url = f"http://{self.host}:{self.port}"
        self.base_url = self.base_url.rstrip("/")
        return self

    @property
    def demo_people_allowed(self) -> bool:
        return self.env in ("demo", "test")

    @property
    def secure(self) -> bool:
        """Whether browsers reach us by https, and cookies may therefore carry the `__Host-` promise."""
        return self.base_url.startswith("https://")

    def faults(self) -> list[str]:
        """What must be mended before the web may be served. Empty when all is well."""
        if self.env != "production":
            return []
        faults = []
        if len(self.secret_key) < 32:
            faults.append(
                "SAMSVAR_SECRET_KEY saknas eller är kortare än 32 tecken: sätt en slumpad hemlighet."
            )
        if not self.secure:
            faults.append("SAMSVAR_BASE_URL måste börja med https:// i drift.")
        if not self.smtp_url:
            faults.append("SAMSVAR_SMTP_URL saknas: utan den når inga påminnelser fram.")
        return faults


@cache
def settings() -> Settings:
    """Read once. A value that will not do ends the program, which says which one, and where to read of it."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = [f"{fault['loc'][0]}: '{fault['input']}' går inte att använda." for fault in error.errors()]
        raise SystemExit("\n".join([*wrong, "Vad som går står i README, under Inställningar."])) from None
