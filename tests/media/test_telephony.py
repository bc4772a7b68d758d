from media.telephony import DigitReader


def event(number: int, duration: int, is_end: bool = False) -> bytearray:
    return bytearray((number, 0x80 * is_end | 10, duration >> 8, duration & 0xFF))


def test_digit_is_told_once_though_its_end_is_sent_three_times() -> None:
    """RFC 4733 2.5.1.4."""
    reader = DigitReader()
    assert reader.receive(event(5, 160), 0, 1000) is None
    assert reader.receive(event(5, 800), 0, 1000) is None
    assert reader.receive(event(5, 960, True), 0, 1000) == ("5", 120)
    assert reader.receive(event(5, 960, True), 0, 1000) is None
    assert reader.receive(event(5, 960, True), 0, 1000) is None
    assert reader.settle() is None


def test_same_digit_again_is_another_event() -> None:
    reader = DigitReader()
    assert reader.receive(event(11, 400, True), 0, 1000) == ("#", 50)
    assert reader.receive(event(11, 400, True), 0, 9000) == ("#", 50)


def test_digit_whose_ends_are_lost_is_told_by_what_follows() -> None:
    reader = DigitReader()
    reader.receive(event(1, 160), 0, 1000)
    assert reader.receive(event(2, 160), 0, 5000) == ("1", 20)
    assert reader.settle() == ("2", 20)


def test_events_that_are_no_digits_are_not_told() -> None:
    """RFC 4733 3.2: 16 is a hook flash."""
    reader = DigitReader()
    assert reader.receive(event(16, 160, True), 0, 1000) is None
    assert reader.receive(event(255, 160, True), 0, 2000) is None
    assert reader.settle() is None
