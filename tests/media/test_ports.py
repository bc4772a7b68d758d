from media.ports import REST_FOR, PortPool, split_ports


def test_range_is_split_without_gap_or_overlap() -> None:
    assert split_ports((20_000, 29_998), 1, 0) == (20_000, 29_998)
    parts = [split_ports((20_001, 20_021), 3, index) for index in range(3)]
    assert parts == [(20_002, 20_006), (20_008, 20_012), (20_014, 20_020)]
    assert split_ports((20_000, 20_000), 2, 0) == (20_000, 19_998)


def test_ports_are_used_in_turn_and_rest() -> None:
    """A port is free again 1.5 s after its call, behind all others."""
    pool = PortPool()
    pool.add((10, 12), True)
    assert [pool.take(0.0), pool.take(0.0), pool.take(0.0)] == [10, 12, None]
    pool.give_back(12, 1.0)
    pool.give_back(10, 1.2)
    assert pool.next_free_at() == 1.0 + REST_FOR
    assert pool.take(2.4) is None
    assert pool.take(2.5) == 12
    assert pool.take(2.6) is None
    assert pool.take(2.7) == 10
    pool.check()


def test_more_are_wanted_while_half_of_what_is_to_be_ahead_is_free() -> None:
    """At least ``ahead``, an eighth of what there is where that is more; once, until the worker answers."""
    pool = PortPool()
    pool.add(tuple(range(0, 128, 2)), False)
    for _ in range(32):
        pool.take(0.0)
    assert pool.wanted(64) == 0
    pool.take(0.0)
    assert pool.wanted(64) == 64
    pool.is_asked = True
    assert pool.wanted(64) == 0
    pool.add(tuple(range(128, 1_600, 2)), False)
    for _ in range(717):
        pool.take(0.0)
    assert (pool.counts()[0], pool.wanted(64)) == (50, 0)
    pool.take(0.0)
    assert pool.wanted(64) == 100
    pool.add((1_600,), True)
    pool.take(0.0)
    assert pool.wanted(64) == 0


def test_counts_are_free_resting_and_used() -> None:
    pool = PortPool()
    pool.add((10, 12, 14), False)
    pool.take(0.0)
    port = pool.take(0.0)
    assert port is not None
    pool.give_back(port, 0.0)
    assert pool.counts() == (1, 1, 1)
    assert pool.owns(11)
    assert not pool.owns(16)


def test_dead_workers_ports_are_bound_again() -> None:
    """What its successor announces is free unless a stream has it or it rests."""
    pool = PortPool()
    pool.add((10, 12, 14), True)
    pool.take(0.0)
    pool.take(0.0)
    pool.give_back(12, 0.0)
    pool.forget_free()
    assert pool.counts() == (0, 1, 1)
    pool.add((10, 12, 14, 16), True)
    assert pool.counts() == (2, 1, 1)
    assert [pool.take(0.1), pool.take(0.1), pool.take(0.1)] == [14, 16, None]
    pool.check()
