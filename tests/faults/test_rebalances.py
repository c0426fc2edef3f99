"""Twenty times a minute a consumer joins, leaves or is killed, under load."""

import random
import time
from contextlib import ExitStack, closing

import pytest
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from adapters.settings import Settings
from composition import Ledger
from tests.broker import Broker
from tests.delivery import ConsumerProcess, remittances
from tests.faults.conftest import Figures
from tests.faults.watching import Companion, watching

EVERY_S = 2.5
"""Not every change is seen: a member may be killed before it has joined, so there are more than twenty tries"""
LEAVING = ["leave", "leave", "kill"]
"""A killed member is missed only after its session's 6 s, in which the group can't settle"""
PER_S = 40
PARTITIONS = 4
MEMBERS_MAX = 3
STALL_S_MAX = 45
"""While the group settles nobody reads: several changes in a row add up"""


class Membership(Companion):
    """Counts how often the group's members changed, as the broker tells it."""

    def __init__(self, bootstrap: str, group: str) -> None:
        super().__init__()
        self.changes = 0
        self._bootstrap, self._group = bootstrap, group

    def run(self) -> None:
        before: set[str] = set()
        with closing(KafkaAdminClient(bootstrap_servers=self._bootstrap)) as admin:
            while not self._finished.wait(0.2):
                try:
                    described = admin.describe_groups([self._group])[self._group]
                except KafkaError:  # there is no such group yet
                    continue
                members = {member["member_id"] for member in described["members"]}
                self.changes += members != before
                before = members


@pytest.mark.kafka(partitions=PARTITIONS)
@pytest.mark.parametrize("lasts_s", [9, pytest.param(120, marks=[pytest.mark.long, pytest.mark.timeout(300)])])
def test_twenty_rebalances_a_minute(
    lasts_s: int, seed: int, broker: Broker, topic: str, ledger: Ledger, settings: Settings, figures: Figures
) -> None:
    rng = random.Random(seed)
    messages = remittances(seed, lasts_s * PER_S, claims=1)
    actions = {"join": 0, "leave": 0, "kill": 0}
    with ExitStack() as ending:

        def join() -> ConsumerProcess:
            client = {"max_poll_records": 8}
            return ending.enter_context(closing(ConsumerProcess(settings, broker.bootstrap, topic, client=client)))

        members, gone = [join()], list[ConsumerProcess]()
        membership = Membership(broker.bootstrap, f"of-{topic}")
        membership.start()
        ending.callback(membership.finish)
        with watching(ledger, broker.bootstrap, topic, messages, PER_S, PARTITIONS) as watch:
            until = time.monotonic() + lasts_s
            while time.monotonic() < until:
                possible = ["join"] * 3 * (len(members) < MEMBERS_MAX) + LEAVING * (len(members) > 1)
                action = rng.choice(possible)
                actions[action] += 1
                if action == "join":
                    members.append(join())
                else:
                    member = members.pop(rng.randrange(len(members)))
                    gone.append(member)
                    if action == "leave":
                        member.process.terminate()
                    else:
                        member.process.kill()
                time.sleep(EVERY_S)
            drain_s = watch.drained()
        changes = membership.changes
        for member in members:
            member.end()
        judged = watch.judge()
    refused = sum(len(member.logged("consumer.batch_refused")) for member in [*members, *gone])
    assert changes >= sum(actions.values()) / 3, "the group was hardly disturbed"
    assert watch.progress.longest_s < STALL_S_MAX
    figures(
        **judged,
        **actions,
        membership_changes=changes,
        batches_refused=refused,
        longest_stall_s=watch.progress.longest_s,
        drain_s=drain_s,
    )
