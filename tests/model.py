"""What must be true once a set of messages was taken in: worked out anew from their bytes.

The opposite of the ledger in every way. It keeps nothing but one pile of plain dicts, looks through all of it for each
question, and shares no code with what it judges. It reads only what the samples write, so a line of its own is a rule
of docs/domain.md and not a matter of format.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Fact = dict[str, Any]
"""One thing that was said of a claim"""
Key = tuple[str, str, str, str]
"""A claim: payer, number (the payer's, else the provider's), member id, given name"""

COST_SHARE = ["1", "2", "3", "66"]
HARMLESS = ["23", "24", "45", "59", "94", "100", "104", "105", "131", "187", "253"]
ADJUDICATED = ["1", "2", "3", "4", "19", "20", "21"]
OBJECTIONS = ["disputed", "appealed", "appeal_decided"]


def truth(messages: Iterable[tuple[str, bytes]]) -> dict[str, Any]:
    """`messages` as (topic, bytes), in any order and any number of times each."""
    parked: Counter[str] = Counter()
    payments: dict[Any, Any] = {}
    claims: dict[Key, dict[Any, Fact]] = {}
    for topic, value in sorted(set(messages)):
        wrong = what_is_wrong(topic, value)
        if wrong:
            parked[wrong] += 1
            continue
        for what, who, said in told_in_json(value) if topic.endswith("adjudications") else told_in_x12(value):
            if what == "payment":
                payments[who] = said
            elif claims.setdefault(who, {}).setdefault(said["id"], said) != said:
                parked["claim.conflict"] += 1
    standings = {who: standing(list(facts.values())) for who, facts in claims.items()}
    return {
        "claims": standings,
        "bills": bills(claims, standings),
        "parked": dict(parked),
        "payments": len(payments),
        "outstanding": outstanding(payments),
    }


# --- one claim


def standing(facts: list[Fact]) -> Fact:
    """Where a claim stands: the last word by the payer's own days, and the money that moved."""
    taken = taken_back(facts)
    ordered = sorted(facts, key=lambda fact: place(fact, facts, taken))
    postings = [fact for fact in ordered if "code" in fact]
    if any(fact["code"] != "25" for fact in postings):  # what would be paid is no more of interest
        postings = [fact for fact in postings if fact["code"] != "25"]
    words = [fact for fact in ordered if fact in postings or fact["word"] not in [*OBJECTIONS, "predetermination"]]
    last, rivals = last_word([fact for fact in postings if fact["code"] not in ("23", "25")] or postings, taken)
    word = words[-1]["word"] if words else None
    if word and words[-1] in postings:
        word = postings[-1]["word"] if postings[-1]["code"] == "23" else last["word"]
    is_void = [fact["word"] for fact in words if fact in postings or fact["word"] == "voided"][-1:] == ["voided"]
    stands = bool(last) and last["code"] != "22" and not is_void
    stated = [fact["charge"] for fact in ([last] if last else reversed(ordered)) if fact["charge"]]
    objections = [fact for fact in ordered if fact["word"] in OBJECTIONS]
    return {
        "status": "in_process" if word == "released" else word,
        "charge": abs(stated[0]) if stated else 0,
        "paid": last["paid"] if stands else 0,
        "member": last["member"] if stands else 0,
        "cash": sum(fact["paid"] for fact in postings if fact["moved"]),
        "awaits": words[-1]["detail"] if word == "pended" else left_open(facts, taken),
        "appeal": appeal(objections[-1]) if objections else ("", 0),
        "sequence": SEQUENCE.get(last["code"], 0) if stands else 0,
        "facts": len(facts),
        "tied": bool(rivals),
    }


def last_word(postings: list[Fact], taken: dict[Any, Any]) -> tuple[Fact, list[Fact]]:
    """The last posting that counts, and others of its day that say otherwise and may as well be the last.

    A reversal and what it takes back cancel out, so that what is left speaks, however late it was that a double payment
    was taken back. What was only announced is over once a payment says anything.
    """
    payments = [fact["day"] for fact in postings if fact["moved"]]
    heard = [fact for fact in postings if fact["moved"] or fact["day"] > max(payments, default="")]
    left = [fact for fact in heard if fact["id"] not in [*taken.keys(), *taken.values()]]
    last = (left or heard or [{}])[-1]
    rivals = [
        fact
        for fact in left
        if (fact["day"], fact["code"] == "22") == (last["day"], last["code"] == "22")
        and any(fact[name] != last[name] for name in ("word", "charge", "paid", "member"))
    ]
    return last, rivals


SEQUENCE = {"1": 1, "19": 1, "2": 2, "20": 2, "3": 3, "21": 3}


def place(fact: Fact, facts: list[Fact], taken: dict[Any, Any]) -> tuple[Any, ...]:
    """By day. Within a day: reports, what is taken back on this very day, reversals, other postings, voids."""
    if fact["word"] == "voided":
        return fact["day"], 5, fact["at"]
    if "code" not in fact:
        return fact["day"], 1, fact["at"]
    if fact["code"] == "22":
        return fact["day"], 3, fact["id"]
    takers = [other for other in facts if taken.get(other["id"]) == fact["id"]]
    return fact["day"], 2 if takers and takers[0]["day"] == fact["day"] else 4, fact["id"]


def taken_back(facts: list[Fact]) -> dict[Any, Any]:
    """Reversal → the adjudication that it takes back, each by id.

    Its amounts are negated, it came the same way (by payment or by word), not later, and is not taken back yet. The
    latest of an earlier day, else one of the same day: a reversal and a correction come together, so that what was paid
    on a reversal's own day is rather the correction.
    """
    taken: dict[Any, Any] = {}
    for reversal in sorted((f for f in facts if f.get("code") == "22"), key=lambda f: (f["day"], f["id"])):
        fitting = [
            (fact["day"] < reversal["day"], fact["day"], fact["id"])
            for fact in facts
            if fact.get("code") in ADJUDICATED
            and fact["moved"] == reversal["moved"]
            and (fact["charge"], fact["paid"]) == (-reversal["charge"], -reversal["paid"])
            and fact["day"] <= reversal["day"]
            and fact["id"] not in taken.values()
        ]
        if fitting:
            taken[reversal["id"]] = max(fitting)[-1]
    return taken


def left_open(facts: list[Fact], taken: dict[Any, Any]) -> str:
    """`original`: a reversal whose adjudication is missing, unless it was only announced and payments say more by now.
    `reversal`: a payment stands beside what replaced it."""
    payments = [fact["day"] for fact in facts if fact.get("moved") and fact["code"] in (*ADJUDICATED, "22")]
    missing = [fact for fact in facts if fact.get("code") == "22" and fact["id"] not in taken]
    if any(fact["moved"] or fact["day"] > max(payments, default="") for fact in missing):
        return "original"
    stand = [f for f in facts if f.get("moved") and f["code"] in ADJUDICATED and f["id"] not in taken.values()]
    for payment in (f for f in stand if f["paid"]):
        if [f for f in stand if f["id"] != payment["id"] and f["day"] >= payment["day"]]:
            return "reversal"
    return ""


def appeal(objection: Fact) -> tuple[str, int]:
    word = objection["detail"] if objection["word"] == "appeal_decided" else objection["word"]
    return word, objection["level"]


# --- over several claims


def bills(claims: dict[Key, dict[Any, Fact]], standings: dict[Key, Fact]) -> dict[Any, int]:
    """What the member owes of each bill that anybody has decided: what the last payer in sequence leaves."""
    asked: dict[Any, list[tuple[int, int]]] = defaultdict(list)
    for who, facts in claims.items():
        for bill in {fact["bill"] for fact in facts.values() if "code" in fact}:
            asked[bill].append((standings[who]["sequence"], standings[who]["member"]))
    return {bill: max(answers)[1] for bill, answers in asked.items()}


def outstanding(payments: dict[Any, Any]) -> dict[Any, int]:
    """What a payer still has to take back (WO) or carried forward (FB), where that is not settled."""
    sums: Counter[Any] = Counter()
    for (payer, _, _), entries in payments.items():
        for payee, reason, reference, amount in entries:
            if reason in ("WO", "FB"):
                sums[payer, payee, reason, reference] -= amount
    return {what: cents for what, cents in sums.items() if cents}


# --- what a posting means


def word_of(code: str, paid: int, lines: list[tuple[int, int, list[str]]], reasons: list[str]) -> str:
    """`lines`: charge, paid and reasons (as PR-1) of each; `reasons`: all of the claim's."""
    if code in ("4", "22", "23", "25"):
        return {"4": "denied", "22": "reversed", "23": "forwarded", "25": "predetermination"}[code]
    if paid:
        refused = [1 for charge, line_paid, why in lines if charge and not line_paid and any(map(denies, why))]
        return "partially_paid" if refused else "paid"
    if any(reason in [f"PR-{carc}" for carc in COST_SHARE] for reason in reasons):
        return "member_liability"
    return "denied" if any(map(denies, reasons)) else "nothing_due"


def denies(reason: str) -> bool:
    return reason.split("-")[1] not in COST_SHARE + HARMLESS


def posting(code: str, day: str, cents: tuple[int, int, int], adjusted: Any, **more: Any) -> Fact:
    """`cents`: charge, paid, patient; `adjusted`: the claim's reasons and each line's (charge, paid, reasons)."""
    reasons, lines = adjusted
    every_reason = [*reasons, *(reason for _, _, why in lines for reason in why)]
    charge, paid, member = cents
    word = word_of(code, paid, lines, every_reason)
    return {"day": day, "code": code, "word": word, "charge": charge, "paid": paid, "member": member, **more}


# --- reading


def what_is_wrong(topic: str, value: bytes) -> str:
    """The reason to park the message; empty where there is none."""
    if topic.endswith("adjudications"):
        try:
            said = json.loads(value)
        except ValueError:
            return "json.not_json"
        return "" if "said" in said else "json.wrong_schema"
    if not value.rstrip().endswith(b"~") or b"\nIEA*" not in value:
        return "x12.missing_se"
    for loop in value.decode().split("SVC*")[1:]:
        line, *others = loop.split("SE*")[0].split("CLP*")[0].split("~\n")
        _, charge, paid, *_ = line.split("*")
        if cents(charge) - sum(amount for _, amount in adjustments(others)) != cents(paid):
            return "line.unbalanced"
    return ""


def told_in_json(value: bytes) -> Iterator[tuple[str, Any, Any]]:
    message = json.loads(value)
    said, patient, numbers = message["said"], message["patient"], message["numbers"]
    control, given = numbers["patient_control_number"], patient["given_name"]
    who = message["payer_id"], numbers["payer_claim_number"] or control, patient["member_id"], given
    if said["kind"] != "adjudicated":
        moment = datetime.fromisoformat(said["at"]).astimezone(UTC).isoformat()
        detail = said.get("awaits") or said.get("outcome") or ""
        fact = {"day": said["at"][:10], "at": moment, "word": said["kind"], "charge": said.get("charge_cents")}
        yield "claim", who, {**fact, "id": (moment, said["kind"]), "detail": detail, "level": said.get("level", 0)}
        return
    lines = [(at["charge_cents"], at["paid_cents"], reasons_in_json(at["adjustments"])) for at in said["lines"]]
    days = [line["service_from"] for line in said["lines"] if "service_from" in line]
    first = said.get("service_from") or min(days, default="")
    yield (
        "claim",
        who,
        posting(
            said["status_code"],
            said["on"],
            (said["charge_cents"], said["paid_cents"], said["patient_cents"]),
            (reasons_in_json(said["adjustments"]), lines),
            moved=False,
            id=("", said["on"], said["status_code"], said["sequence"]),
            bill=(message["billing_provider_id"], control, given, first),
            said=json.dumps(said, sort_keys=True),
        ),
    )


def reasons_in_json(entries: list[dict[str, str]]) -> list[str]:
    return [f"{entry['group']}-{entry['carc']}" for entry in entries]


def told_in_x12(value: bytes) -> Iterator[tuple[str, Any, Any]]:
    """One interchange of the samples: one transaction or several, each claim's loop from its CLP to the next."""
    for transaction in value.decode().split("\nST*")[1:]:
        head, *loops = transaction.split("\nSE*")[0].split("\nPLB*")[0].split("\nCLP*")
        segments = [segment.split("*") for segment in head.split("~\n")]
        [bpr] = [segment for segment in segments if segment[0] == "BPR"]
        [trn] = [segment for segment in segments if segment[0] == "TRN"]
        [payee] = [segment[4] for segment in segments if segment[:2] == ["N1", "PE"]]
        day = f"{bpr[16][:4]}-{bpr[16][4:6]}-{bpr[16][6:8]}"
        payment = trn[3].rstrip("~"), trn[2], day
        yield "payment", payment, list(provider_adjustments(transaction))
        seen: Counter[Any] = Counter()
        for loop in loops:
            who, fact = told_of_a_claim(loop, payment, payee.rstrip("~"))
            seen[who, fact["code"]] += 1
            yield "claim", who, {**fact, "id": (*payment[1:], fact["code"], seen[who, fact["code"]])}


def told_of_a_claim(loop: str, payment: tuple[str, str, str], payee: str) -> tuple[Key, Fact]:
    segments = [segment.split("*") for segment in f"CLP*{loop}".rstrip("~\n").split("~\n")]
    _, control, code, charge, paid, patient, _, number, *_ = [*segments[0], *[""] * 8]
    [name] = [segment for segment in segments if segment[:2] == ["NM1", "QC"]]
    own, *of_lines = loop.split("\nSVC*")
    lines = []
    for line in of_lines:
        first, *others = line.rstrip("~\n").split("~\n")
        lines.append((cents(first.split("*")[1]), cents(first.split("*")[2]), [why for why, _ in adjustments(others)]))
    stated = [segment[2] for segment in segments if segment[:2] == ["DTM", "232"]]
    days = stated or [segment[2] for segment in segments if segment[:2] == ["DTM", "472"]]
    first_day = f"{min(days)[:4]}-{min(days)[4:6]}-{min(days)[6:]}" if days else ""
    fact = posting(
        code,
        payment[2],
        (cents(charge), cents(paid), cents(patient)),
        ([why for why, _ in adjustments(own.split("~\n"))], lines),
        moved=True,
        bill=(payee, control, name[4], first_day),
        said=loop,
    )
    return (payment[0], number or control, name[9], name[4]), fact


def adjustments(segments: list[str]) -> Iterator[tuple[str, int]]:
    """Reason (as PR-1) and cents of each CAS entry."""
    for segment in segments:
        name, *elements = segment.rstrip("~\n").split("*")
        if name == "CAS":
            group, *entries = elements
            for at in range(0, len(entries), 3):
                yield f"{group}-{entries[at]}", cents(entries[at + 1])


def provider_adjustments(transaction: str) -> Iterator[tuple[str, str, str, int]]:
    """Payee, reason, reference and cents of each PLB entry."""
    for segment in transaction.split("~\n"):
        name, *elements = segment.split("*")
        if name == "PLB":
            payee, _, *entries = elements
            for at in range(0, len(entries), 2):
                reason, reference = entries[at].split(":")
                yield payee, reason, reference, cents(entries[at + 1])


def cents(amount: str) -> int:
    return int(Decimal(amount.rstrip("~\n") or 0) * 100)
