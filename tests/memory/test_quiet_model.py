"""The model of the memory where functions only observe for a while: what no digest names is told sooner or later."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from msgspec.structs import replace

from handler.memory import news
from handler.memory.flapping import touch
from handler.memory.news import News
from handler.memory.parts import Part
from handler.memory.state import spelled
from tests.memory.test_memory_model import CLAIMS, SETTINGS, Function, Memory, Record, opened


class QuietMemory(Memory):
    """One server, whose functions alert or only observe; a digest is a function without records."""

    def __init__(self) -> None:
        super().__init__()
        self.observes = True
        self.digests: set[str] = set()
        """The tokens of digests."""

    @rule()
    def switch(self) -> None:
        """Let functions that begin from now on observe, or alert again."""
        self.observes = not self.observes

    @precondition(lambda self: self.observes and self._has_news() and not self._has_digest())
    @rule()
    def digest(self) -> None:
        """Let a digest begin; there is one at a time."""
        self._begin_digest()

    @rule(claim=st.sampled_from(CLAIMS), parts=st.none() | opened())
    def report_at_once(self, claim: str, parts: tuple[Part, ...] | None) -> None:
        """Let a report come, or close, and a function take it to its end."""
        self.dates += 1
        self.records.append(Record(claim, self.dates, parts))
        self._invoke([self.records[-1]])
        self._step(self.functions[-1])
        while self.functions and self.functions[-1].records == (self.records[-1],):
            self._step(self.functions[-1])

    @precondition(lambda self: self.observes and self._has_news() and not self._has_digest())
    @rule(steps=st.integers(1, 3))
    def digest_at_once(self, steps: int) -> None:
        """Let a digest begin and take so many steps, after which it dies if it has not come to its end."""
        self._begin_digest()
        function = self.functions[-1]
        for _ in range(steps):
            self._step(function)
        if function in self.functions:
            self._die(function)

    def _begin_digest(self) -> None:
        self._invoke([])
        self.digests.add(self.functions[-1].token)

    def _has_digest(self) -> bool:
        return any(function.token in self.digests for function in self.functions)

    def _has_news(self) -> bool:
        return bool(news.compare(self.server, self.server, spelled(self.now), token="", rules=self.limits))

    def _settle(self) -> None:
        """Let a digest name what nobody was told; then a function that alerts has nothing left to tell."""
        observed = self.observes
        self.observes = True
        self._begin_digest()
        self._finish()
        self.observes = False
        self._invoke([])
        [function] = self.functions
        self._finish()
        assert not function.news
        self.observes = observed

    def _finish(self) -> None:
        self.now += timedelta(minutes=20)
        for function in self.functions:
            function.at = spelled(self.now)
        while self.functions:
            self._step(self.functions[0])

    def _compare(self, function: Function) -> None:
        if function.token in self.digests:
            self._gather(function)
        elif self.observes:
            self._watch(function)
        else:
            super()._compare(function)

    def _watch(self, function: Function) -> None:
        """Observe, and announce nothing."""
        before, after = self._observed(function)
        self.server = touch(before, after, function.at, self.limits)
        self._announced(function, News(kind="new"))
        others = [pending for pending in self.server.pending if pending.token != function.token]
        function.gives_back = any(pending.is_running(function.at) for pending in others)

    def _gather(self, function: Function) -> None:
        """Find what nobody was told, and announce it."""
        found = news.compare(self.server, self.server, function.at, token=function.token, rules=self.limits)
        if found:
            found = replace(found, kind="observed", flapped=())
            self.server = news.announce(self.server, found, function.at, function.token, spelled(function.deadline))
        self._announced(function, found)


QuietMemory.TestCase.settings = SETTINGS
TestQuietMemory = QuietMemory.TestCase
