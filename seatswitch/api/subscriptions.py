"""Subscriptions: which connection hears of what, numbered so that a client sees whether it lost anything.

Every notification carries ``prev``, the number sent before it on this subscription; what topics or rights
leave out leaves no gap. The node builds events only while somebody listens or may still resume.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kernel.ids import CallId, QueueName
from kernel.limits import EVENT_BUFFER_MAX, RPC_BACKLOG_MAX, SESSION_RESUME_AFTER
from kernel.outbox import Outbox
from kernel.texts import to_json
from kernel.timers import Timer
from seatswitch.api.errors import Refusal
from seatswitch.api.switch import Entry, Switch

TOPICS = ("seat", "call", "queue", "supervisor", "callback", "voicemail", "trunk", "switch")
EVERYONE = "*"  # the tenant of what everybody may hear of

_BACKLOG_MAX = RPC_BACKLOG_MAX // 2  # bytes of missed events; beyond it a snapshot is cheaper for both


class Subscription:
    """What one connection listens to. ``tenant`` is the only one it may hear of; "" is all. Who ``leads``
    nobody does not hear of supervision, either, and of voicemails only in mailboxes that it ``opens``.
    """

    __slots__ = ("leads", "missed", "number", "opens", "prev", "tenant", "topics")

    def __init__(
        self,
        number: int,
        topics: tuple[str, ...],
        tenant: str,
        leads: bool,
        prev: int,
        opens: Callable[[str], bool] | None = None,
    ) -> None:
        self.number = number
        self.topics = topics
        self.tenant = tenant
        self.leads = leads
        self.opens = opens
        self.prev = prev  # the last number sent
        self.missed: list[bytes] = []  # to be sent behind the answer to events.subscribe

    def hears(self, tenant: str, data: Mapping[str, Any]) -> bool:
        """Say whether it may hear of something that is ``tenant``'s."""
        if not self.leads and data.get("supervises"):
            return False
        if not self.leads and "mailbox" in data and (self.opens is None or not self.opens(data["mailbox"])):
            return False
        return not self.tenant or tenant in (self.tenant, EVERYONE)


class Subscriptions:
    """All subscriptions of one node."""

    def __init__(self, node: Switch, replies: Outbox[tuple[int, bytes]]) -> None:
        self._node = node
        self._replies = replies
        self._listeners: dict[str, dict[int, Subscription]] = {topic: {} for topic in TOPICS}
        self._count = 0
        self._unwanted: Timer | None = None
        self._call_tenants: dict[str, str] = {}  # an ended call no longer says whose it was

    def add(
        self,
        number: int,
        topics: Iterable[str],
        tenant: str,
        leads: bool,
        since: int | None,
        now: float,
        opens: Callable[[str], bool] | None = None,
    ) -> Subscription:
        """Begin a subscription for connection ``number``; RESYNC if ``since`` is no longer kept."""
        news = self._node.news
        chosen = tuple(topic for topic in TOPICS if topic in tuple(topics))
        subscription = Subscription(
            number, chosen, tenant, leads, news.seq if since is None else since, opens
        )
        if since is not None:
            self._catch_up(subscription, since)
        self._node.timers.disarm(self._unwanted)
        self._unwanted = None
        if not news.wanted:
            news.wanted = True
            for call in self._node.calls_view(now):
                self._remember_call(call)
        for topic in chosen:
            self._listeners[topic][number] = subscription
        self._count += 1
        return subscription

    def remove(self, subscription: Subscription, now: float) -> None:
        """End a subscription. The node goes on keeping events for as long as it may be resumed."""
        for topic in subscription.topics:
            self._listeners[topic].pop(subscription.number, None)
        subscription.missed.clear()
        self._count -= 1
        if not self._count and self._unwanted is None:
            self._unwanted = self._node.timers.arm_after(self, "unwanted", SESSION_RESUME_AFTER, now)

    def on_timer(self, name: str, now: float) -> None:
        """Nobody has listened for long enough: the node need not build events."""
        assert name == "unwanted", f"subscriptions have no timer {name}"
        self._unwanted = None
        self._node.news.wanted = False
        self._call_tenants.clear()

    def send_missed(self, subscription: Subscription) -> None:
        """Send what happened while a resumed subscriber was away."""
        for text in subscription.missed:
            self._replies.put((subscription.number, text))
        subscription.missed.clear()

    def forward(self, entries: Iterable[Entry]) -> None:
        """Send every entry to those who listen to it and may hear of it."""
        for entry in entries:
            topic, data = entry[2], entry[3]
            if topic == "call":
                self._remember_call(data)
            listeners = self._listeners.get(topic)
            if not listeners:
                continue
            seq = entry[0]
            tenant = self._tenant_of(topic, data)
            head = tail = b""
            for number, subscription in listeners.items():
                if seq <= subscription.prev or not subscription.hears(tenant, data):
                    continue
                if not head:
                    head, tail = self._build(entry)
                self._replies.put((number, b"%b%d%b" % (head, subscription.prev, tail)))
                subscription.prev = seq

    def check(self) -> None:
        """Assert what must hold between turns."""
        living = {id(each) for listeners in self._listeners.values() for each in listeners.values()}
        assert len(living) <= self._count, "more subscriptions than were counted"
        assert not self._count or self._node.news.wanted, "somebody listens and nothing is built"

    def _catch_up(self, subscription: Subscription, since: int) -> None:
        entries = self._node.news.since(since)
        if entries is None:
            raise Refusal("RESYNC", f"events after {since} are no longer kept: subscribe without since")
        length = 0
        for entry in entries:
            topic, data = entry[2], entry[3]
            if topic == "call":
                self._remember_call(data)
            if topic not in subscription.topics:
                continue
            if not subscription.hears(self._tenant_of(topic, data), data):
                continue
            head, tail = self._build(entry)
            text = b"%b%d%b" % (head, subscription.prev, tail)
            subscription.missed.append(text)
            subscription.prev = entry[0]
            length += len(text)
            if length > _BACKLOG_MAX:
                raise Refusal("RESYNC", f"too much has happened since {since}: subscribe without since")

    def _build(self, entry: Entry) -> tuple[bytes, bytes]:
        """Return what stands before and behind ``prev``: the same for every subscriber."""
        seq, at, topic, data = entry
        head = b'{"jsonrpc":"2.0","method":"event","params":{"seq":%d,"prev":' % seq
        tail = b',"at":"%b","topic":"%b","data":%b}}' % (
            self._node.walltime.text(at).encode(),
            topic.encode(),
            to_json(data),
        )
        return head, tail

    def _remember_call(self, data: Mapping[str, Any]) -> None:
        tenant = data.get("tenant")
        if tenant:
            tenants = self._call_tenants
            if len(tenants) >= EVENT_BUFFER_MAX and data["call"] not in tenants:
                del tenants[next(iter(tenants))]
            tenants[data["call"]] = tenant

    def _tenant_of(self, topic: str, data: Mapping[str, Any]) -> str:
        """Return whose an event is; "" is the operator's alone."""
        if topic == "switch":
            return "" if "ip" in data else EVERYONE
        tenant = data.get("tenant")
        if tenant:
            return str(tenant)
        if "queue" in data and data["queue"] is not None:
            queue = self._node.engine.queues.get(QueueName(data["queue"]))
            return "" if queue is None else queue.settings.tenant
        return self._call_tenants.get(CallId(data.get("call") or ""), "")
