"""Every case goes to every platform that it is meant for; the workers of one platform share its cases among them.

A scheduler for xdist, which asks it through the members of the same names as its own schedulers have.
"""

import os
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ..platform import posting
from ..platform.posting import Posting

_AT_LEAST = 2
"""Cases that a worker has in hand: it begins one only when it knows the next."""


class Share:
    """The cases of one platform, and its workers."""

    def __init__(self, expected: int) -> None:
        """
        Args:
            expected: workers that are to collect before the first case is given out.
        """
        self.expected = expected
        self.collection: Sequence[str] = ()
        self.collected: dict[Any, Sequence[str]] = {}
        """What each worker that is there has collected."""
        self.hands: dict[Any, list[int]] = {}
        """What each worker still has to do."""
        self._left: deque[int] = deque()
        self.begun = False
        self.uneven = False
        """Whether its workers did not all collect the same."""

    @property
    def size(self) -> int:
        """Cases, as far as that is known."""
        return max(map(len, [self.collection, *self.collected.values()]))

    @property
    def ready(self) -> bool:
        """Whether all workers have collected."""
        return self.expected > 0 and len(self.collected) >= self.expected

    @property
    def busy(self) -> bool:
        """Whether a worker of it has something to do."""
        return any(self.hands.values())

    @property
    def given_out(self) -> bool:
        """Whether nothing is to be given out any more."""
        return self.expected <= 0 or (self.begun and not self._left)

    @property
    def over(self) -> bool:
        """Whether all is done, or nobody is left to do it."""
        return self.given_out and not self.busy

    def begin(self) -> None:
        """Gives out the first cases, once."""
        if self.begun or not self.ready:
            return
        self.begun = True
        self.collection = max(self.collected.values(), key=len)
        self._left.extend(range(len(self.collection)))
        for node, ids in self.collected.items():
            if list(ids) != list(self.collection):
                self.uneven = True
                node.shutdown()  # its numbers would name other cases
        self._fill_all()

    def _working(self) -> list[Any]:
        return [node for node in self.collected if not node.shutting_down]

    def _fill_all(self) -> None:
        for node in self._working():
            self._fill(node)

    def _fill(self, node: Any) -> None:
        """Gives a worker more to do when it has little; lets it go when there is no more."""
        hand = self.hands[node]
        if len(hand) < _AT_LEAST and self._left:
            size = max(_AT_LEAST, len(self._left) // (2 * len(self._working())))
            more = [self._left.popleft() for _ in range(min(size, len(self._left)))]
            hand.extend(more)
            node.send_runtest_some(more)
        if not self._left:
            node.shutdown()

    def done(self, node: Any, index: int) -> None:
        """A worker has done a case."""
        self.hands[node].remove(index)
        if not node.shutting_down:
            self._fill(node)

    def lose(self, node: Any, begun: Collection[str]) -> list[str]:
        """A worker is gone: what it had in hand goes to the others of the platform.

        Args:
            begun: the cases that it has begun, which nobody begins again.

        Returns:
            The cases that nobody is left to run.
        """
        self.expected -= 1
        self.collected.pop(node, None)
        hand = self.hands.pop(node, [])
        self._left.extendleft(i for i in reversed(hand) if self.collection[i] not in begun)
        if not self.begun:
            self.begin()
            return []
        self._fill_all()
        if self._working():
            return []
        lost = [self.collection[index] for index in self._left]
        self._left.clear()
        return lost


class EachPlatform:
    """All shares, as xdist sees them."""

    def __init__(
        self, postings: Iterable[Posting], at_once: int = 2 * len(os.sched_getaffinity(0))
    ) -> None:
        """
        Args:
            postings: of all workers.
            at_once: platforms that run cases at a time: more would only keep each other from running.
        """
        postings = list(postings)
        workers = Counter(each.asked for each in postings)
        self._shares = {asked: Share(number) for asked, number in workers.items()}
        self._choosy = {each.asked for each in postings if each.fast_time}
        """The platforms that collect just what is marked for them."""
        # Slow ones first, so that none is left alone at the end; before them those where idle time passes at once and waiting is work.
        ordered = sorted(postings, key=lambda each: (not each.fast_time, -each.slowness))
        self._order = list(dict.fromkeys(each.asked for each in ordered))
        self._at_once = at_once
        self._nodes: list[Any] = []

    def _share(self, node: Any) -> Share:
        return self._shares[posting.of(node).asked]

    @property
    def nodes(self) -> list[Any]:
        """All workers that are there."""
        return list(self._nodes)

    @property
    def collection_is_completed(self) -> bool:
        """Whether a platform may begin; fast ones do not wait for slow ones."""
        return any(share.ready for share in self._shares.values())

    @property
    def has_pending(self) -> bool:
        """Whether a worker is at work."""
        return any(share.busy for share in self._shares.values())

    @property
    def tests_finished(self) -> bool:
        """Whether all is given out."""
        return all(share.given_out for share in self._shares.values())

    def add_node(self, node: Any) -> None:
        """A worker has come."""
        self._nodes.append(node)
        self._share(node).hands[node] = []

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        """A worker has collected."""
        self._share(node).collected[node] = collection

    def schedule(self) -> None:
        """Begins where a platform is ready, as far as there is room. One that is still to come has its room already."""
        shares = [self._shares[asked] for asked in self._order]
        for share in [share for share in shares if not share.over][: self._at_once]:
            share.begin()

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        """A worker has done a case."""
        share = self._share(node)
        share.done(node, item_index)
        if share.over:
            self.schedule()

    def remove_node(self, node: Any, begun: Collection[str] = ()) -> list[str]:
        """A worker has gone, in order or not, be it before it came; the cases that are lost with it.

        Args:
            begun: the cases that it has begun and not ended.
        """
        if node in self._nodes:
            self._nodes.remove(node)
        lost = self._share(node).lose(node, begun)
        self.schedule()
        return lost

    @property
    def expected(self) -> int:
        """Cases of all platforms together. One that is still to collect is taken to have as many as any."""
        sizes = {asked: share.size for asked, share in self._shares.items()}
        late = sum(
            asked not in self._choosy and not sizes[asked] and not share.over
            for asked, share in self._shares.items()
        )
        return sum(sizes.values()) + late * max(sizes.values())

    def is_over(self, asked: str) -> bool:
        """Whether no worker of that platform is left."""
        return self._shares[asked].expected <= 0

    def began(self, asked: str) -> bool:
        """Whether cases were given out on that platform."""
        return self._shares[asked].begun

    def missing(self) -> dict[str, list[str]]:
        """The cases that a platform did not collect, though another one did. Platforms that did not live to collect
        anything are left out."""
        lists = {
            asked: share.collection
            for asked, share in self._shares.items()
            if share.begun and asked not in self._choosy
        }
        everything = {case: None for cases in lists.values() for case in cases}
        lacking = {
            asked: [case for case in everything if case not in had]
            for asked, had in ((asked, set(cases)) for asked, cases in lists.items())
        }
        return {asked: cases for asked, cases in lacking.items() if cases}

    def uneven(self) -> list[str]:
        """The platforms whose workers did not all collect the same."""
        return [asked for asked, share in self._shares.items() if share.uneven]
