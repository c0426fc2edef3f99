"""`scripts/schemas`: the published schemas of the messages, made from their models."""

from pathlib import Path

import msgspec

from adapters.claim_notice.model import ClaimNotice
from adapters.json_message.coverage import CoverageChange
from adapters.json_message.payment import PaymentMessage
from adapters.json_message.plan import PlanMessage
from adapters.json_message.premium import Premium
from adapters.json_message.provider import ProviderMessage
from adapters.json_message.settlement import BankEntry
from adapters.json_message.sign_in import SignIn

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"
PUBLISHED: dict[str, tuple[str, type[msgspec.Struct]]] = {
    "claim-notice-1": ("Notice of a claim", ClaimNotice),
    "payment-1": ("Notice of a payment", PaymentMessage),
    "settlement-1": ("Entry of a bank's statement", BankEntry),
    "premium-1": ("Premium", Premium),
    "coverage-change-1": ("Change of coverage", CoverageChange),
    "provider-1": ("Entry of a provider directory", ProviderMessage),
    "plan-1": ("Plan", PlanMessage),
    "sign-in-1": ("Sign-in", SignIn),
}
"""File without its suffix → title and model"""


def schema(name: str) -> bytes:
    """JSON Schema, draft 2020-12. docs/messages.md says what it can't."""
    title, model = PUBLISHED[name]
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    made |= msgspec.json.schema(model)
    return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"


def file(name: str) -> Path:
    return FOLDER / f"{name}.json"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in PUBLISHED:
        file(each).write_bytes(schema(each))
