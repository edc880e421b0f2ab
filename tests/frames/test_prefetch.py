"""Reading ahead: in order, bounded, and without a thread left behind."""

import threading

import pytest

from frames.prefetch import ahead


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "bench-prefetch"]


@pytest.mark.parametrize("depth", [1, 4, 100])
def test_items_come_in_order(depth):
    assert list(ahead(iter(range(30)), depth)) == list(range(30))
    assert readers() == []


def test_error_comes_after_the_items_before_it():
    def broken():
        yield 1
        yield 2
        raise ValueError("frame 3 is damaged")

    got = []
    with pytest.raises(ValueError, match="frame 3 is damaged"):
        for item in ahead(broken()):
            got.append(item)
    assert got == [1, 2]
    assert readers() == []


def test_not_more_than_depth_is_read_ahead():
    taken = []
    third = threading.Event()

    def counted():
        for index in range(50):
            taken.append(index)
            if index == 3:
                third.set()
            yield index

    items = ahead(counted(), depth=2)
    assert next(items) == 0
    assert third.wait(600)  # 0 is with the caller, 1 and 2 wait in the queue, 3 waits for room
    assert taken == [0, 1, 2, 3]
    items.close()


def test_closing_early_stops_the_thread_and_closes_the_source():
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    items = ahead(endless(), depth=2)
    next(items)
    items.close()
    assert closed.is_set()
    assert readers() == []


def test_nothing_starts_before_the_first_item_is_asked_for():
    ahead(iter([1]))
    assert readers() == []


def test_depth_must_be_positive():
    with pytest.raises(ValueError, match="depth"):
        ahead([], depth=0)
