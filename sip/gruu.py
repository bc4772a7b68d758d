"""GRUUs: URIs that lead to one phone wherever it is registered from (RFC 5627).

The public one names user and instance. The temporary one is a word that only we can read, another one with
each REGISTER; the last few of a binding lead to it, and a REGISTER with another Call-ID ends them all
(RFC 5627 5.1). Rule: a URI is a GRUU of ours only in one of our domains; what it leads to is asked of the
registrar, so that nobody can name a flow.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from kernel.chance import Chance
from sip.grammar import SipError
from sip.uri import SipUri, parse_uri, unescape

if TYPE_CHECKING:
    from sip.registrar import Binding

TEMPORARY_MAX = 4  # temporary ones of a binding that are good at the same time
_PREFIX = "tgruu."
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()[]/:&+$")


class Gruus:
    """The GRUUs of one registrar."""

    __slots__ = ("_chance", "_find", "_temporary")

    def __init__(self, chance: Chance, find: "Callable[[str, str], Binding | None]") -> None:
        """``find(user, instance)`` names the binding that requests to an instance go to now."""
        self._chance = chance
        self._find = find
        self._temporary: dict[str, tuple[str, str]] = {}  # user of the URI -> user and instance

    def contact_params(self, binding: "Binding", domain: str) -> str:
        """Return the parameters of a binding's Contact in the 200 of a REGISTER; "" without an instance."""
        instance = binding.instance_id
        if not instance:
            return ""
        if not binding.gruus:
            self.renew(binding)
        public = f"sip:{binding.user_text}@{domain};gr={_escaped(instance)}"
        return f';pub-gruu="{public}";temp-gruu="sip:{binding.gruus[-1]}@{domain};gr"'

    def renew(self, binding: "Binding") -> None:
        """Make another temporary GRUU of a binding that has been registered again."""
        if not binding.instance_id:
            return
        if len(binding.gruus) >= TEMPORARY_MAX:
            del self._temporary[binding.gruus.pop(0)]
        name = f"{_PREFIX}{self._chance.token()}{self._chance.token()}"
        binding.gruus.append(name)
        self._temporary[name] = (binding.user, binding.instance_id)

    def forget(self, binding: "Binding") -> None:
        """The temporary GRUUs of a binding lead nowhere any more."""
        for name in binding.gruus:
            del self._temporary[name]
        binding.gruus.clear()

    def binding_of(self, uri: SipUri) -> "Binding | None":
        """Return the binding that a URI in one of our domains leads to; None if it is no GRUU of ours."""
        instance = uri.params.get("gr")
        if instance is None:
            return None
        user, instance = self._temporary.get(uri.user, (uri.user, unescape(instance)))
        return self._find(user, instance) if instance else None

    def read(self, text: str) -> "Binding | None":
        """Return the binding that a URI as text leads to; None if it is no GRUU of ours."""
        try:
            uri = parse_uri(text)
        except SipError:
            return None
        return self.binding_of(uri) if isinstance(uri, SipUri) else None

    def count(self) -> int:
        """Return how many temporary ones there are."""
        return len(self._temporary)


def _escaped(instance: str) -> str:
    raw = instance.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if chr(byte) in _PLAIN else f"%{byte:02X}" for byte in raw)
