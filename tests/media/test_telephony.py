from media.telephony import DIGITS_MAX, DigitReader, DigitWriter, stopped


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


def test_what_has_been_told_or_is_under_way_at_the_end_is_for_nobody_else() -> None:
    assert stopped(None) is None
    reader = DigitReader()
    assert not reader.is_spent(100)
    reader.receive(event(5, 160), 0, 100)
    assert not reader.is_spent(100)
    assert stopped(reader) is reader
    assert reader.is_spent(100)
    assert reader.receive(event(5, 800, True), 0, 100) is None
    assert reader.receive(event(6, 800, True), 0, 200) is None
    assert reader.settle() is None
    assert (reader.is_spent(100), reader.is_spent(200)) == (True, False)


def test_events_that_are_no_digits_are_not_told() -> None:
    """RFC 4733 3.2: 16 is a hook flash."""
    reader = DigitReader()
    assert reader.receive(event(16, 160, True), 0, 1000) is None
    assert reader.receive(event(255, 160, True), 0, 2000) is None
    assert reader.settle() is None


def written(writer: DigitWriter) -> list[tuple[int, bool, int, bool] | None]:
    """Return event, end, duration and whether it begins a digit, of every frame."""
    frames = []
    while not writer.is_done:
        packet = writer.next()
        if packet is None:
            frames.append(None)
        else:
            payload, is_first = packet
            duration = payload[2] << 8 | payload[3]
            frames.append((payload[0], bool(payload[1] & 0x80), duration, is_first))
    return frames


def test_a_digit_grows_packet_by_packet_and_ends_three_times() -> None:
    """RFC 4733 2.5.1.2, 2.5.1.4: each packet says the duration so far, the last is sent thrice."""
    writer = DigitWriter()
    writer.add("#", 80, 80)
    assert written(writer) == [
        (11, False, 160, True),
        (11, False, 320, False),
        (11, False, 480, False),
        (11, True, 640, False),
        (11, True, 640, False),
        (11, True, 640, False),
        None,
        None,
    ]


def test_digits_follow_each_other_after_the_gap() -> None:
    writer = DigitWriter()
    writer.add("1", 40, 0)
    writer.add("1", 40, 100)
    frames = written(writer)
    starts = [index for index, frame in enumerate(frames) if frame is not None and frame[3]]
    assert starts == [0, 5]  # the ends of the first take longer than no gap at all
    assert len(frames) == 12


def test_what_is_written_is_what_a_reader_reads() -> None:
    writer, reader, heard = DigitWriter(), DigitReader(), []
    writer.add("0123456789*#ABCD", 160, 80)
    timestamp = 0
    while not writer.is_done:
        packet = writer.next()
        if packet is not None:
            timestamp += 9_999 * packet[1]
            heard.append(reader.receive(bytearray(packet[0]), 0, timestamp))
    assert [told for told in heard if told is not None] == [(digit, 160) for digit in "0123456789*#ABCD"]


def test_not_more_than_a_few_digits_wait() -> None:
    writer = DigitWriter()
    writer.add("1" * 1000, 40, 60)
    frames = written(writer)
    assert sum(frame is not None and frame[3] for frame in frames) == DIGITS_MAX
