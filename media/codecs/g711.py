"""G.711 (ITU-T): u-law and A-law as tables, so that transcoding is one ``bytes.translate``.

Linear samples are 16-bit integers; u-law uses their upper 14 bits, A-law their upper 13.
"""

from collections.abc import Iterable

_BIAS = 0x84  # of the 16-bit form of u-law
_CLIP = 32_635


def ulaw_to_linear(code: int) -> int:
    """Return the 16-bit sample of a u-law byte."""
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + _BIAS) << (code >> 4 & 7)
    return _BIAS - magnitude if code & 0x80 else magnitude - _BIAS


def alaw_to_linear(code: int) -> int:
    """Return the 16-bit sample of an A-law byte."""
    code ^= 0x55
    exponent, mantissa = code >> 4 & 7, (code & 0x0F) << 4
    magnitude = mantissa + 8 if exponent == 0 else (mantissa + 0x108) << (exponent - 1)
    return magnitude if code & 0x80 else -magnitude


def linear_to_ulaw(sample: int) -> int:
    """Return the u-law byte of a sample; beyond 16 bits it is clipped."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), _CLIP) + _BIAS
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | (magnitude >> (exponent + 3) & 0x0F)) & 0xFF


def linear_to_alaw(sample: int) -> int:
    """Return the A-law byte of a sample; beyond 16 bits it is clipped."""
    sign = 0x80 if sample >= 0 else 0
    magnitude = min(sample if sample >= 0 else ~sample, 32_767)
    exponent = max(0, magnitude.bit_length() - 8)
    mantissa = magnitude >> (exponent + 3 if exponent else 4) & 0x0F
    return (sign | exponent << 4 | mantissa) ^ 0x55


ULAW_TO_ALAW = bytes(linear_to_alaw(ulaw_to_linear(code)) for code in range(256))
ALAW_TO_ULAW = bytes(linear_to_ulaw(alaw_to_linear(code)) for code in range(256))
ULAW_SILENCE = 0xFF


def translation(source: str, target: str) -> bytes | None:
    """Return the table that turns ``source`` into ``target`` (PCMU, PCMA), or None if they are the same."""
    if source == target:
        return None
    return ULAW_TO_ALAW if target == "PCMA" else ALAW_TO_ULAW


def linear_to_ulaw_bytes(samples: Iterable[int]) -> bytes:
    """Return u-law for 16-bit samples."""
    return bytes(linear_to_ulaw(sample) for sample in samples)
