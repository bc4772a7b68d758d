from media.codecs.g711 import (
    ALAW_TO_ULAW,
    ULAW_TO_ALAW,
    alaw_to_linear,
    linear_to_alaw,
    linear_to_ulaw,
    linear_to_ulaw_bytes,
    translation,
    ulaw_to_linear,
)


def test_codes_of_the_recommendation() -> None:
    """ITU-T G.711 tables 1 and 2: silence, the loudest and the smallest values of both signs."""
    assert [ulaw_to_linear(code) for code in (0xFF, 0x7F, 0x80, 0x00, 0xFE)] == [0, 0, 32_124, -32_124, 8]
    assert [alaw_to_linear(code) for code in (0xD5, 0x55, 0xAA, 0x2A)] == [8, -8, 32_256, -32_256]


def test_linear_and_back_stays_within_a_step() -> None:
    for sample in range(-32_768, 32_768, 7):
        for there, back in ((linear_to_ulaw, ulaw_to_linear), (linear_to_alaw, alaw_to_linear)):
            error = abs(back(there(sample)) - sample)
            assert error <= max(16, abs(sample) // 16), f"{there.__name__}({sample})"


def test_every_code_is_its_own_nearest() -> None:
    for code in range(256):
        assert linear_to_alaw(alaw_to_linear(code)) == code
        assert linear_to_ulaw(ulaw_to_linear(code)) in (code, 0xFF)  # u-law has two zeros


def test_translation_is_a_table_or_nothing() -> None:
    assert translation("PCMU", "PCMU") is None
    assert translation("PCMU", "PCMA") is ULAW_TO_ALAW
    assert translation("PCMA", "PCMU") is ALAW_TO_ULAW
    loud = bytes(range(0x80, 0x90))
    assert loud.translate(ULAW_TO_ALAW).translate(ALAW_TO_ULAW) == loud


def test_samples_become_bytes() -> None:
    assert linear_to_ulaw_bytes([0, 32_767, -32_768]) == b"\xff\x80\x00"
