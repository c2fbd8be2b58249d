"""The scheduler of platforms: every case to each, shared among its workers, lost by none without a word."""

from harness.platform.posting import Posting, tell
from harness.plugin.schedule import EachPlatform

CASES = [f"cases/test_a.py::test_{number}" for number in range(20)]


class Node:
    """A worker, as xdist shows it to a scheduler. Runs what it has been given when told to."""

    def __init__(self, asked: str, fast_time: bool = False, slowness: float = 1.0) -> None:
        self.posting = Posting(asked, fast_time=fast_time, slowness=slowness)
        self.workerinput: dict[str, object] = {}
        tell(self.workerinput, self.posting)
        self.given: list[int] = []
        self.ran: list[int] = []
        self.shutting_down = False

    def send_runtest_some(self, indices: list[int]) -> None:
        """More to do."""
        assert not self.shutting_down
        self.given += indices

    def shutdown(self) -> None:
        """No more to come."""
        self.shutting_down = True

    def run_one(self, schedule: EachPlatform) -> bool:
        """Runs a case as a worker does: only when it knows the next, or that none comes."""
        if not self.given or (len(self.given) < 2 and not self.shutting_down):
            return False
        index = self.given.pop(0)
        self.ran.append(index)
        schedule.mark_test_complete(self, index)
        return True


def begun(nodes: list[Node], cases: list[str] = CASES) -> EachPlatform:
    """A schedule whose workers have all collected."""
    schedule = EachPlatform(node.posting for node in nodes)
    for node in nodes:
        schedule.add_node(node)
    for node in nodes:
        schedule.add_node_collection(node, cases)
        if schedule.collection_is_completed:
            schedule.schedule()
    return schedule


def run(schedule: EachPlatform, nodes: list[Node]) -> None:
    """In turns, till nobody can go on."""
    while any([node.run_one(schedule) for node in nodes]):
        pass


def test_every_case_runs_once_on_every_platform() -> None:
    """Two workers share what one has alone elsewhere."""
    one, two, other = nodes = [Node("linux"), Node("linux"), Node("gvisor")]
    schedule = begun(nodes)
    run(schedule, nodes)
    everything = list(range(len(CASES)))
    assert sorted(one.ran + two.ran) == everything and other.ran == everything
    assert one.ran and two.ran
    assert schedule.tests_finished and all(node.shutting_down for node in nodes)


def test_one_case_for_two_workers_is_run() -> None:
    """By one of them; the other is let go."""
    nodes = [Node("linux"), Node("linux")]
    schedule = begun(nodes, CASES[:1])
    run(schedule, nodes)
    assert nodes[0].ran + nodes[1].ran == [0] and all(node.shutting_down for node in nodes)


def test_a_fast_platform_does_not_wait_for_a_slow_one() -> None:
    """Which has not even come, and keeps the run from being finished."""
    node = Node("linux")
    schedule = EachPlatform([node.posting, Posting("slow")])
    schedule.add_node(node)
    schedule.add_node_collection(node, CASES)
    assert schedule.collection_is_completed
    schedule.schedule()
    run(schedule, [node])
    assert len(node.ran) == len(CASES) and not schedule.tests_finished


def test_what_a_dead_worker_had_in_hand_goes_to_its_fellow() -> None:
    """But not what it had begun."""
    one, two = nodes = [Node("linux"), Node("linux")]
    schedule = begun(nodes)
    one.run_one(schedule)
    at = one.given[0]
    assert schedule.remove_node(one, {CASES[at]}) == []
    run(schedule, [two])
    assert sorted([*one.ran, at, *two.ran]) == list(range(len(CASES)))


def test_what_the_last_worker_leaves_is_lost_on_that_platform_alone() -> None:
    """And comes back to whoever tells of it."""
    one, other = nodes = [Node("linux"), Node("gvisor")]
    schedule = begun(nodes)
    one.run_one(schedule)
    at = one.given[0]
    lost = schedule.remove_node(one, {CASES[at]})
    assert sorted([*lost, CASES[at], CASES[one.ran[0]]]) == sorted(CASES)
    assert schedule.is_over("linux") and not schedule.is_over("gvisor")
    run(schedule, [other])
    assert len(other.ran) == len(CASES) and schedule.tests_finished


def test_a_platform_that_never_comes_keeps_nobody() -> None:
    """Its workers go before they came."""
    node, absent = Node("linux"), Node("gone")
    schedule = EachPlatform([node.posting, absent.posting])
    assert schedule.remove_node(absent) == [] and not schedule.began("gone")
    schedule.add_node(node)
    schedule.add_node_collection(node, CASES)
    schedule.schedule()
    run(schedule, [node])
    assert schedule.tests_finished and schedule.missing() == {}


def test_a_platform_that_collected_less_is_named_with_what_it_lacks() -> None:
    """Whichever of them was first."""
    node, poor = Node("linux"), Node("gvisor")
    schedule = EachPlatform([poor.posting, node.posting])
    for each, cases in ((poor, CASES[1:]), (node, CASES)):
        schedule.add_node(each)
        schedule.add_node_collection(each, cases)
        schedule.schedule()
    assert schedule.missing() == {"gvisor": CASES[:1]}


def test_no_more_platforms_run_at_once_than_there_is_room_for() -> None:
    """One where time is fast goes first, then the slower before the faster, each when one is done."""
    linux, gvisor, fast = nodes = [
        Node("linux"),
        Node("gvisor", slowness=4.0),
        Node("a-fast-time", fast_time=True),
    ]
    schedule = EachPlatform([node.posting for node in nodes], at_once=1)
    for node in nodes:
        schedule.add_node(node)
        schedule.add_node_collection(node, CASES)
        schedule.schedule()
    assert fast.given and not linux.given and not gvisor.given
    run(schedule, [fast])
    assert gvisor.given and not linux.given
    schedule.remove_node(gvisor, ())
    run(schedule, [linux])
    assert len(linux.ran) == len(CASES) and schedule.tests_finished


def test_a_faster_platform_does_not_take_the_room_of_a_slower_one() -> None:
    """Which is longer in coming."""
    linux, slow = Node("linux"), Node("slow", slowness=12.0)
    schedule = EachPlatform([linux.posting, slow.posting], at_once=1)
    for node in (linux, slow):
        schedule.add_node(node)
        schedule.add_node_collection(node, CASES)
        schedule.schedule()
        assert not linux.given
    run(schedule, [slow])
    run(schedule, [linux])
    assert len(linux.ran) == len(CASES) and schedule.tests_finished


def test_the_cases_of_all_platforms_are_counted() -> None:
    """One that is still to come as the largest, one that never comes not at all."""
    linux, fast, late, gone = [
        Node("linux"),
        Node("a-fast-time", fast_time=True),
        Node("late"),
        Node("gone"),
    ]
    schedule = EachPlatform([node.posting for node in (linux, fast, late, gone)])
    schedule.remove_node(gone)
    schedule.add_node(linux)
    schedule.add_node_collection(linux, CASES)
    assert schedule.expected == 2 * len(CASES)
    for node, cases in ((fast, CASES[:1]), (late, CASES[:5])):
        schedule.add_node(node)
        schedule.add_node_collection(node, cases)
    assert schedule.expected == len(CASES) + 1 + 5


def test_where_time_is_fast_the_rest_is_not_missed() -> None:
    """Just what takes minutes elsewhere is collected there."""
    node, fast = Node("linux"), Node("a-fast-time", fast_time=True)
    schedule = EachPlatform([node.posting, fast.posting])
    for each, cases in ((node, CASES), (fast, CASES[:1])):
        schedule.add_node(each)
        schedule.add_node_collection(each, cases)
        schedule.schedule()
    run(schedule, [node, fast])
    assert fast.ran == [0] and len(node.ran) == len(CASES) and schedule.missing() == {}


def test_a_worker_that_collected_less_than_its_fellow_runs_nothing() -> None:
    """Its numbers would name other cases; and it is told."""
    one, two = Node("linux"), Node("linux")
    schedule = EachPlatform([one.posting, two.posting])
    for each, cases in ((one, CASES[1:]), (two, CASES)):
        schedule.add_node(each)
        schedule.add_node_collection(each, cases)
    schedule.schedule()
    run(schedule, [one, two])
    assert one.ran == [] and len(two.ran) == len(CASES)
    assert schedule.uneven() == ["linux"]
