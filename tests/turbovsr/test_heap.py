import ctypes

from turbovsr import heap


def test_free_memory_is_given_back_where_the_c_library_can(monkeypatch):
    calls = []
    monkeypatch.setattr(heap, "_trim", lambda: calls.append)
    heap.give_back()
    assert calls == [0]  # nothing is kept for later


def test_elsewhere_nothing_happens(monkeypatch):
    def no_handle(name):
        raise TypeError("this system has no handle of the process")

    monkeypatch.setattr(ctypes, "CDLL", no_handle)
    heap._trim.cache_clear()
    try:
        heap.give_back()
    finally:
        heap._trim.cache_clear()
