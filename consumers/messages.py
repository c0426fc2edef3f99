"""The inbound topics and what their messages are. A message is taken as understood only if its sums hold."""

from collections.abc import Iterator

from application.ports import Buffer, Format, NotUnderstood, Said, Translate, Understood
from domain.claim import Decided, Notice
from domain.money import dollars
from domain.remittance import Imbalance, Remittance, claim_imbalances, imbalances

TOPICS = {
    "payer.remittances": Format.X12_835,
    "payer.adjudications": Format.JSON_CLAIM,
    "payments": Format.JSON_PAYMENT,
    "premiums": Format.JSON_PREMIUM,
    "settlements": Format.JSON_SETTLEMENT,
    "plans": Format.JSON_PLAN,
    "coverage.changes": Format.JSON_COVERAGE,
    "providers": Format.JSON_PROVIDER,
    "portal.sign-ins": Format.JSON_SIGN_IN,
}

NAMED_MAX = 20
"""Failed sums that are named one by one"""


def balanced(translate: Translate) -> Translate:
    """A translation of which everything balances; what does not becomes something to park, each failed sum named."""

    def checked(data: Buffer) -> Iterator[Understood | NotUnderstood]:
        for part in translate(data):
            failed = list(_imbalances(part.said)) if isinstance(part, Understood) else None
            yield _unbalanced(part, failed) if failed and isinstance(part, Understood) else part

    return checked


def _imbalances(said: Said) -> Iterator[Imbalance]:
    match said:
        case Remittance():
            return imbalances(said)
        case Notice(said=Decided(adjudication=adjudication)):
            return claim_imbalances(adjudication, "claim 1")
        case _:  # nothing else states a sum of its own parts
            return iter(())


def _unbalanced(part: Understood, failed: list[Imbalance]) -> NotUnderstood:
    named = "; ".join(
        f"{f.where}: {f.reason}, {dollars(f.expected_cents)} expected, {dollars(f.stated_cents)} stated"
        for f in failed[:NAMED_MAX]
    )
    return NotUnderstood(
        reason=failed[0].reason,
        where=f"{part.where} {failed[0].where}".strip(),
        detail=named if len(failed) <= NAMED_MAX else f"{named}; and {len(failed) - NAMED_MAX} more",
        claims=len(part.said.claims) if isinstance(part.said, Remittance) else 1,
        raw=part.raw(),
        identity=part.identity,
    )
