"""Names as words: the mean embedding of their tokens."""

import torch

from scissor.mini.names import Names

WORDS = {" red fox": [1, 2, 3], " dog": [4]}


def test_a_name_is_the_mean_of_its_tokens():
    table = torch.randn(6, 5, requires_grad=True)
    out = Names(["red fox", "dog"], WORDS.__getitem__)(table)
    torch.testing.assert_close(out[0], table[[1, 2, 3]].mean(0))
    torch.testing.assert_close(out[1], table[4])
    out[1].sum().backward()
    assert table.grad[4].eq(1).all()
    assert table.grad[0].eq(0).all()  # padding takes no part
