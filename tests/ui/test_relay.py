"""A function's news, as an iterator."""

import threading

import pytest

from scissor.ui.relay import relayed


def test_news_come_in_order_and_the_result_last():
    def work(tell, ended):
        for k in range(3):
            tell(k)
        return "done"

    assert list(relayed(work)) == [0, 1, 2, "done"]


def test_an_error_is_raised_where_the_news_are_taken():
    def work(tell, ended):
        tell(1)
        raise KeyError("lost")

    news = relayed(work)
    assert next(news) == 1
    with pytest.raises(KeyError, match="lost"):
        next(news)


def test_closing_ends_the_work():
    over = threading.Event()

    def work(tell, ended):
        tell(1)
        while not ended():
            pass
        over.set()

    news = relayed(work)
    next(news)
    news.close()
    assert over.is_set()
