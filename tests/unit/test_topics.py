"""The list of everything that the log may hold."""

import importlib
import pkgutil
from collections.abc import Iterator

import msgspec
import pytest

import domain
from application.mapper import Mapper, StoredEvent
from application.topics import TOPICS, Topic, TopicsIncomplete, check
from domain.facts import Event
from domain.parking import MessageReleased
from domain.person import PersonIdentified
from tests.given import KeysInMemory, stream


def same(state: dict[str, object]) -> dict[str, object]:
    return state


def test_the_shipped_list_is_complete() -> None:
    check(TOPICS)


def kinds_of_events() -> Iterator[type[Event]]:
    for module in pkgutil.iter_modules(domain.__path__, "domain."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, Event) and not value.__name__.startswith("_"):
                yield value


def test_every_event_of_the_domain_has_a_topic() -> None:
    assert {topic.event for topic in TOPICS} == set(kinds_of_events()) - {Event, Told}


def test_an_event_with_a_personal_part_says_what_it_is() -> None:
    for topic in TOPICS:
        assert (topic.personal is not None) == ("personal" in topic.event.__struct_fields__), topic.name


@pytest.mark.parametrize("versions", [(2,), (1, 3), (0, 1), (2, 3), (1, 2, 4)])
def test_a_gap_between_upcasters_is_refused(versions: tuple[int, ...]) -> None:
    topics = (Topic("a.b", MessageReleased, upcasters=dict.fromkeys(versions, same)),)
    with pytest.raises(TopicsIncomplete, match=r"a\.b: upcasters"):
        Mapper(KeysInMemory(), topics)


@pytest.mark.parametrize("count", range(4))
def test_upcasters_from_1_on_give_the_version(count: int) -> None:
    topic = Topic("a.b", MessageReleased, upcasters=dict.fromkeys(range(1, count + 1), same))
    check((topic,))
    assert topic.stored == f"a.b:{count + 1}"


def test_a_name_twice_is_refused() -> None:
    with pytest.raises(TopicsIncomplete, match="a name stands twice"):
        Mapper(KeysInMemory(), (Topic("a.b", MessageReleased), Topic("a.b", PersonIdentified)))


def test_an_event_twice_is_refused() -> None:
    with pytest.raises(TopicsIncomplete, match="a event stands twice"):
        Mapper(KeysInMemory(), (Topic("a.b", MessageReleased), Topic("a.c", MessageReleased)))


class Told(Event, frozen=True):
    personal: str


def test_a_personal_part_that_cannot_be_left_out_is_refused() -> None:
    with pytest.raises(TopicsIncomplete, match="absent by default"):
        Mapper(KeysInMemory(), (Topic("a.b", Told, personal=str),))


@pytest.mark.parametrize("name", ["a:b", "ä.b"])
def test_a_name_that_could_be_misread_is_refused(name: str) -> None:
    with pytest.raises(TopicsIncomplete, match="is no topic name"):
        check((Topic(name, MessageReleased),))


ID = "00000000-0000-8000-8000-000000000001"
ADJUDICATION = (
    '{"status_code":"%s","charge_cents":10000,"paid_cents":8000,'
    '"patient_cents":-500,"lines":[{"procedure":"HC:99213:25","charge_cents":10000,"paid_cents":8000,'
    '"adjustments":[["CO","45",1500,""],["PR","2",500,"1"]],"remarks":["N115"],"service_from":"2026-02-02",'
    '"allowed_cents":8500}],"remarks":["MA01"],"received_on":"2026-02-05","amounts":[["AU",8500]],'
    '"rendering_provider":"3000000001"}'
)
POSTING_1 = (
    f'"content":"1:abc","person":"{ID}","remittance":"{ID}","payer_id":"1078810412",'
    f'"paid_on":"2026-03-02","adjudication":{ADJUDICATION},"personal":"c2VhbGVk"'
)
POSTING_2 = (
    f'"content":"1:abc","person":"{ID}","payer_id":"1078810412","remittance":"{ID}","day":"2026-03-02",'
    f'"adjudication":{ADJUDICATION},"personal":"c2VhbGVk","source":"payer.remittances/0@7","bill":"{ID}"'
)
REPORT = (
    f'"content":"1:abc","person":"{ID}","payer_id":"1078810412","source":"payer.adjudications/0@7","bill":"{ID}",'
    '"personal":"c2VhbGVk","at":"2026-03-02T10:00:00-05:00","claim_type":"professional","charge_cents":10000,'
    '"service_from":"2026-02-02"'
)
OF_MEMBER = f'"content":"1:abc","payer_id":"1078810412","account":"{ID}","source":"payments/0@7","personal":"c2VhbGVk"'
AT = '"at":"2026-07-02T09:30:00-04:00"'
BACK = '"postings":[["collected","unapplied",2500,"USD"]]'
PREMIUM = (
    f'"account":"{ID}","payer_id":"1078810412","source":"premiums/0@7","personal":"c2VhbGVk","content":"1:abc",'
    '"on":"2026-03-02"'
)
CONSENT = (
    f'"payer_id":"1078810412","person":"{ID}","source":"coverage.changes/0@7","personal":"c2VhbGVk",'
    f'"change":"{ID}","content":"1:abc",'
    '"at":"2026-03-02T10:00:00-05:00","by":"subject"'
)
LOGIN = (
    f'"portal_id":"member-portal","source":"portal.sign-ins/0@7","account":"{ID}","owner":"{ID}","personal":"c2VhbGVk",'
    f'"fact":"{ID}","content":"1:abc","at":"2026-03-02T07:00:00-05:00"'
)
WRITTEN = {
    "person.identified:1": '{"payer_id":"1078810412","content":"1:abc","personal":"c2VhbGVk"}',
    "remittance.received:1": (
        '{"payer":{"payer_id":"1078810412","name":"NORTHFIELD HEALTH PLAN"},"payee":{"provider_id":"3000000001"},'
        '"trace_number":"NHPT000000001","paid_on":"2026-03-02","total_cents":8000,"method":"ACH","claim_count":1,'
        '"content":"1:abc","source":"payer.remittances/0@7","provider_adjustments":[{"provider_id":"3000000001",'
        '"reason":"WO","cents":100,"fiscal_period_end":"2026-12-31"}],"handling":"I","produced_on":"2026-02-28",'
        '"personal":"c2VhbGVk"}'
    ),
    "claim.adjudicated:1": f"{{{POSTING_1 % '1'}}}",
    "claim.adjudicated:2": f"{{{POSTING_2 % '1'}}}",
    "claim.reversed:1": f"{{{POSTING_1 % '22'}}}",
    "claim.reversed:2": f"{{{POSTING_2 % '22'}}}",
    "claim.forwarded:1": f"{{{POSTING_1 % '23'}}}",
    "claim.forwarded:2": f"{{{POSTING_2 % '23'}}}",
    "claim.predetermined:1": f"{{{POSTING_1 % '25'}}}",
    "claim.predetermined:2": f"{{{POSTING_2 % '25'}}}",
    "claim.received:1": f"{{{REPORT}}}",
    "claim.accepted:1": f"{{{REPORT}}}",
    "claim.released:1": f"{{{REPORT}}}",
    "claim.voided:1": f"{{{REPORT}}}",
    "claim.rejected:1": f'{{{REPORT},"reasons":["A7:562"]}}',
    "claim.pended:1": f'{{{REPORT},"awaits":"provider_information","due_on":"2026-04-01"}}',
    "claim.disputed:1": f'{{{REPORT},"by":"member"}}',
    "claim.appealed:1": f'{{{REPORT},"by":"provider","level":2,"due_on":"2026-05-01"}}',
    "claim.appeal_decided:1": f'{{{REPORT},"level":2,"outcome":"partly_overturned"}}',
    "bill.assessed:1": (
        f'{{"claim":"{ID}","day":"2026-03-02","word":{{"payer_sequence":1,"processed_on":"2026-03-02","charge_cents":20000,'
        '"paid_cents":9000,"share":[4000,1000,0,0]},"postings":[["charges","plan_paid",9000,"USD"],'
        '["charges","adjustments",6000,"USD"],["charges","owed.deductible",4000,"USD"],'
        '["charges","owed.coinsurance",1000,"USD"]]}'
    ),
    "bill.opened:1": (
        f'{{"account":"{ID}","cents":4000,"day":"2025-11-20","source":"file:1f2e","postings":[["opening","owed.before",4000,"USD"]]}}'
    ),
    "bill.payment_applied:1": (
        f'{{"payment":"{ID}","cents":4000,"day":"2026-03-20","postings":[["owed.deductible","applied",4000,"USD"]]}}'
    ),
    "bill.written_off:1": (
        '{"number":"1","cents":500,"reason":"small_balance","day":"2026-04-20","actor":"billing",'
        '"postings":[["owed.coinsurance","written_off",500,"USD"]]}'
    ),
    "bill.dispute_opened:1": (
        '{"number":"1","cents":500,"reason":"wrong_amount","day":"2026-04-20","actor":"member",'
        '"postings":[["owed.coinsurance","disputed",500,"USD"]]}'
    ),
    "bill.evidence_filed:1": (
        '{"number":"1","kind":"receipt","document":"9f86d081","day":"2026-04-21","actor":"member"}'
    ),
    "bill.dispute_resolved:1": (
        '{"number":"1","resolution":"for_member","day":"2026-04-30","actor":"billing",'
        '"postings":[["disputed","written_off",500,"USD"]]}'
    ),
    "payment.initiated:1": (
        f'{{{OF_MEMBER},{AT},"amount_cents":10000,"method":"card","schedule":"{ID}","claims":["{ID}"]}}'
    ),
    "payment.authorised:1": f"{{{OF_MEMBER},{AT}}}",
    "payment.posted:1": (
        f'{{{OF_MEMBER},"on":"2026-07-03","amount_cents":10000,"payout":"{ID}",'
        '"postings":[["unapplied","collected",10000,"USD"]]}'
    ),
    "payment.failed:1": f'{{{OF_MEMBER},{AT},"reason":"declined"}}',
    "payment.returned:1": f'{{{OF_MEMBER},"on":"2026-07-08","code":"R01",{BACK}}}',
    "payment.refunded:1": f'{{{OF_MEMBER},"on":"2026-07-10","refund":"{ID}","amount_cents":2500,{BACK}}}',
    "payment.charged_back:1": (
        f'{{{OF_MEMBER},"on":"2026-07-20","case":"{ID}","amount_cents":2500,"reason":"fraud",{BACK}}}'
    ),
    "payment.chargeback_reversed:1": (
        f'{{{OF_MEMBER},"on":"2026-08-20","case":"{ID}","postings":[["unapplied","collected",2500,"USD"]]}}'
    ),
    "payment.allocated:1": (
        f'{{"bill":"{ID}","cents":4000,"on":"2026-07-03","postings":[["applied","unapplied",4000,"USD"]]}}'
    ),
    "bank.booked:1": (
        f'{{"content":"1:abc","bank_account":"operating","source":"settlements/0@7","on":"2026-03-03","direction":"debit",'
        f'"amount_cents":8000,"trace_number":"NHPT000000001","payer_id":"1078810412","payout":"{ID}"}}'
    ),
    "bank.reversed:1": (
        '{"content":"1:abc","bank_account":"operating","source":"settlements/0@8","on":"2026-03-05","reason":"R03"}'
    ),
    "opening.loaded:1": '{"source":"file:1f2e","count":2,"cents":5500}',
    "statement.issued:1": (
        f'{{"account":"{ID}","day":"2026-07-01","due_on":"2026-07-31","lines":[["{ID}",3,4000]],"total_cents":4000,'
        '"minimum_cents":2500}'
    ),
    "schedule.made:1": (
        f'{{{OF_MEMBER},{AT},"terms":{{"first_on":"2026-07-31","every":"month","until":"2026-12-31","amount_cents":2500}}}}'
    ),
    "schedule.skipped:1": f'{{{OF_MEMBER},"on":"2026-07-31"}}',
    "schedule.paused:1": f"{{{OF_MEMBER},{AT}}}",
    "schedule.resumed:1": f"{{{OF_MEMBER},{AT}}}",
    "schedule.cancelled:1": f"{{{OF_MEMBER},{AT}}}",
    "request.answered:1": f'{{"content":"1:abc","answer":{{"stream":"{ID}","version":2,"events":0}}}}',
    "premium.invoiced:1": (
        f'{{{PREMIUM},"postings":[["premium.billed","premium.owed",31250,"USD"]],"invoice":"{ID}","amount_cents":31250,'
        '"period_from":"2026-04-01","period_to":"2026-04-30","due_on":"2026-04-01","grace_days":90}'
    ),
    "premium.invoice_voided:1": (
        f'{{{PREMIUM},"postings":[["premium.owed","premium.billed",31250,"USD"]],"invoice":"{ID}","reason":"rate"}}'
    ),
    "premium.paid:1": (
        f'{{{PREMIUM},"postings":[["premium.owed","premium.paid",31250,"USD"]],"payment":"{ID}","amount_cents":31250,'
        f'"invoice":"{ID}"}}'
    ),
    "premium.payment_returned:1": (
        f'{{{PREMIUM},"postings":[["premium.paid","premium.owed",31250,"USD"]],"payment":"{ID}","reason":"R01"}}'
    ),
    "premium.lapsed:1": f'{{{PREMIUM},"reason":"nonpayment"}}',
    "premium.reinstated:1": f'{{{PREMIUM},"reason":"paid_in_full"}}',
    "family.linked:1": f'{{{CONSENT},"viewer":"{ID}","relationship":"spouse"}}',
    "consent.granted:1": (
        f'{{{CONSENT},"viewer":"{ID}","areas":["claims","care"],"first_on":"2026-03-02","until":"2026-12-31"}}'
    ),
    "consent.limited:1": f'{{{CONSENT},"viewer":"{ID}","areas":["claims"]}}',
    "consent.revoked:1": f'{{{CONSENT},"viewer":"{ID}"}}',
    "confidentiality.requested:1": f"{{{CONSENT}}}",
    "confidentiality.withdrawn:1": f"{{{CONSENT}}}",
    "plan.published:1": (
        '{"content":"1:abc","payer_id":"1078810412","plan_id":"SILVER","revision":1,"design":{"name":"Silver 2000",'
        '"effective_from":"2026-01-01","effective_to":"2026-12-31","zone":"America/New_York",'
        '"premium":{"individual_cents":45000,"family_cents":120000},"family":"embedded","benefits":[{"network":"in",'
        '"shares":[{"service":"specialist","share":{"copay_cents":5000,"deductible_applies":false},"tier":"2"},'
        '{"service":"other","share":{"coinsurance_percent":20}}],'
        '"deductible":{"individual_cents":200000,"family_cents":400000},'
        '"out_of_pocket":{"individual_cents":800000,"family_cents":1600000}}],'
        '"open_enrolment":{"first":"2025-11-01","last":"2026-01-15"},"special_enrolment_days":30},"source":"plans/0@1"}'
    ),
    "login.code_issued:1": f'{{{LOGIN},"code":"{ID}","expires_at":"2026-03-09T07:00:00-05:00"}}',
    "login.code_expired:1": f'{{{LOGIN},"code":"{ID}"}}',
    "login.code_requested:1": f"{{{LOGIN}}}",
    "login.identity_proved:1": f'{{{LOGIN},"proof":"document","grade":"ial2"}}',
    "login.registered:1": f"{{{LOGIN}}}",
    "login.terms_accepted:1": f'{{{LOGIN},"terms":"2026-01"}}',
    "login.factor_enrolled:1": f'{{{LOGIN},"factor":"passkey","factor_id":"{ID}"}}',
    "login.factor_removed:1": f'{{{LOGIN},"factor_id":"{ID}"}}',
    "login.signed_in:1": f'{{{LOGIN},"device":"{ID}","address":"{ID}","factor":"passkey","session":"{ID}"}}',
    "login.sign_in_failed:1": (
        f'{{{LOGIN},"device":"{ID}","address":"{ID}","factor":"passkey","cause":"locked","verdict":"wrong_password",'
        f'"unknown":"{ID}"}}'
    ),
    "login.locked_out:1": (
        f'{{"at":"2026-03-02T07:00:00-05:00","until":"2026-03-02T07:15:00-05:00","device":"{ID}","failures":5}}'
    ),
    "login.lockout_ended:1": (
        f'{{"at":"2026-03-02T07:00:00-05:00","by":"agent","device":"{ID}","fact":"{ID}","content":"1:abc",'
        f'"source":"portal.sign-ins/0@7","portal_id":"member-portal","payer_id":"1078810412","account":"{ID}","owner":"{ID}"}}'
    ),
    "login.session_used:1": f'{{{LOGIN},"session":"{ID}","address":"{ID}"}}',
    "login.session_ended:1": f'{{{LOGIN},"session":"{ID}","by":"agent"}}',
    "login.session_revoked:1": f'{{{LOGIN},"session":"{ID}","by":"agent"}}',
    "login.sessions_revoked:1": f'{{{LOGIN},"by":"agent"}}',
    "login.password_changed:1": f'{{{LOGIN},"by":"agent"}}',
    "login.password_recovered:1": f'{{{LOGIN},"by":"agent"}}',
    "login.user_name_recovered:1": f'{{{LOGIN},"by":"agent"}}',
    "login.linked:1": f'{{{LOGIN},"other":"{ID}"}}',
    "login.unlinked:1": f'{{{LOGIN},"other":"{ID}"}}',
    "login.moved_over:1": f'{{{LOGIN},"other":"{ID}"}}',
    "login.app_linked:1": f'{{{LOGIN},"app":"apple_health","scopes":["claims","coverage"]}}',
    "login.app_unlinked:1": f'{{{LOGIN},"app":"apple_health"}}',
    "login.alert_acknowledged:1": f'{{{LOGIN},"about":"{ID}","by":"agent"}}',
    "coverage.enrolled:1": (
        '{"content":"1:abc",'
        f'"change":"{ID}","at":"2026-04-10T09:00:00-04:00","payer_id":"1078830634","source":"coverage.changes/0@1","personal":"c2VhbGVk",'
        '"said":{"kind":"enrolled","plan_id":"SILVER","effective_from":"2026-01-01","members":['
        f'{{"person":"{ID}","relationship":"subscriber"}}]}}}}'
    ),
    "coverage.dependant_added:1": (
        '{"content":"1:abc",'
        f'"change":"{ID}","at":"2026-04-10T09:00:00-04:00","payer_id":"1078830634","source":"coverage.changes/0@1","personal":"c2VhbGVk",'
        '"said":{"kind":"dependant_added","effective_from":"2026-03-30","members":['
        f'{{"person":"{ID}","relationship":"child"}}]}}}}'
    ),
    "coverage.dependant_removed:1": (
        '{"content":"1:abc",'
        f'"change":"{ID}","at":"2026-04-10T09:00:00-04:00","payer_id":"1078830634","source":"coverage.changes/0@1","personal":"c2VhbGVk",'
        '"said":{"kind":"dependant_removed","on":"2026-08-31","members":['
        f'{{"person":"{ID}","relationship":"child"}}]}}}}'
    ),
    "coverage.terminated:1": (
        '{"content":"1:abc",'
        f'"change":"{ID}","at":"2026-04-10T09:00:00-04:00","payer_id":"1078830634","source":"coverage.changes/0@1","personal":"c2VhbGVk",'
        '"said":{"kind":"terminated","on":"2026-06-30","reason":"premium"}}'
    ),
    "coverage.reinstated:1": (
        '{"content":"1:abc",'
        f'"change":"{ID}","at":"2026-04-10T09:00:00-04:00","payer_id":"1078830634","source":"coverage.changes/0@1","personal":"c2VhbGVk",'
        '"said":{"kind":"reinstated","effective_from":"2026-07-01","reason":"paid"}}'
    ),
    "coverage.voided:1": (
        '{"content":"1:abc",'
        f'"change":"{ID}","at":"2026-04-10T09:00:00-04:00","payer_id":"1078830634","source":"coverage.changes/0@1","personal":"c2VhbGVk",'
        f'"said":{{"kind":"voided","change":"{ID}"}}}}'
    ),
    "plan_change.requested:1": (
        '{"content":"1:abc",'
        f'"change":"{ID}","at":"2026-04-10T09:00:00-04:00","payer_id":"1078830634","source":"coverage.changes/0@1","personal":"c2VhbGVk",'
        '"said":{"kind":"plan_change_requested","plan_id":"GOLD","effective_on":"2026-05-01","life_event":'
        '{"event":"birth","on":"2026-03-30","proofs":["birth_certificate"]}}}'
    ),
    "plan_change.compared:1": (
        '{"content":"1:abc",'
        f'"change":"{ID}","at":"2026-04-10T09:00:00-04:00","payer_id":"1078830634","source":"coverage.changes/0@1","personal":"c2VhbGVk",'
        f'"said":{{"kind":"plan_change_compared","request":"{ID}"}}}}'
    ),
    "plan_change.confirmed:1": (
        '{"content":"1:abc",'
        f'"change":"{ID}","at":"2026-04-10T09:00:00-04:00","payer_id":"1078830634","source":"coverage.changes/0@1","personal":"c2VhbGVk",'
        f'"said":{{"kind":"plan_change_confirmed","request":"{ID}"}}}}'
    ),
    "plan_change.withdrawn:1": (
        '{"content":"1:abc",'
        f'"change":"{ID}","at":"2026-04-10T09:00:00-04:00","payer_id":"1078830634","source":"coverage.changes/0@1","personal":"c2VhbGVk",'
        f'"said":{{"kind":"plan_change_withdrawn","request":"{ID}"}}}}'
    ),
    "plan_change.refused:1": f'{{"request":"{ID}","reason":"outside_window"}}',
    "person.linked:1": (
        f'{{"payer_id":"1078810412","earlier":"{ID}","link":"merged","at":"2026-04-10T09:00:00-04:00",'
        '"source":"coverage.changes/0@1"}'
    ),
    "person.unlinked:1": (
        f'{{"payer_id":"1078810412","earlier":"{ID}","at":"2026-04-12T09:00:00-04:00","source":"coverage.changes/0@2"}}'
    ),
    "person.described:1": '{"payer_id":"1078810412","content":"1:abc","personal":"c2VhbGVk"}',
    "comparison.made:1": (
        f'{{"account":"{ID}","payer_id":"1078810412","kind":"own_year","on":"2026-12-31","known_at":7,"is_family":true,'
        '"options":[{"plan_id":"BRONZE","services_cents":254000,"premium_cents":240000}]}'
    ),
    "provider.listed:1": (
        '{"content":"1:abc","provider_id":"1234567893","revision":2,"listing":{"name":"Lakeside Clinic","specialty":'
        '"207R00000X","networks":[{"payer_id":"1078830634","plan_id":"SILVER","first_on":"2026-01-01","until":'
        '"2026-12-31","tier":"1"}]},"source":"providers/0@1"}'
    ),
    "message.parked:1": (
        '{"reason":"claim.conflict","source":"payer.remittances/0@7","where":"ST 0001 claim 2","detail":"d",'
        f'"claims":1,"blocks":"{ID}","raw_id":"{ID}"}}'
    ),
    "message.released:1": "{}",
    "message.discarded:1": '{"actor":"ops","reason":"sent in error"}',
}
"""A row of each kind as it was once written. They are never changed: a row in somebody's ledger does not change either.
A new version adds rows, and an upcaster where the old ones need it."""


def test_every_kind_of_row_is_kept_here() -> None:
    assert {topic.stored for topic in TOPICS} <= WRITTEN.keys()


@pytest.mark.parametrize("topic", WRITTEN)
def test_rows_that_were_written_once_are_read_for_ever(topic: str) -> None:
    stored = StoredEvent(stream("any"), 1, topic, WRITTEN[topic].encode())
    event = Mapper(KeysInMemory()).load(stored)
    if topic in {topic.stored for topic in TOPICS}:
        # Whatever stands in the row stands in the event, so nothing of it was passed over.
        assert msgspec.json.encode(event) == stored.state
