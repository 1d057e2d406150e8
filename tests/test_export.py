import numpy as np
import pytest
import torch

from scissor.export import FACTS, TENSORS, read_tokens, write_tokens
from scissor.types import Compression, Encoded


def test_everything_comes_back(tmp_path):
    share = torch.arange(6).reshape(2, 3) % 2
    hub = torch.tensor([[0, 0], [1, 1]])
    kept = Compression(
        method="scc",
        tokens=torch.randn(2, 4),
        grid=(1, 3),
        spatial=share,
        group=share,  # one memory under two names
        share=share,
        hub=hub,
        place=hub.float(),
        counts=(6, 3, 2),
        tau_spatial=0.81,
        tau_temporal=0.81,
        target=2,
        seconds={"merge": 0.5},
        after=2,
    )
    encoded = Encoded(torch.randn(2, 3, 4), (1, 3), np.array([0.0, 1.5]), "mini", "k")
    write_tokens(tmp_path / "t.safetensors", kept, encoded, clip="a clip")
    again, rest = read_tokens(tmp_path / "t.safetensors")
    for name in TENSORS:
        assert torch.equal(getattr(again, name), getattr(kept, name))
    for name in FACTS:
        assert getattr(again, name) == getattr(kept, name)
    assert rest["times"].tolist() == [0.0, 1.5]
    assert (rest["model"], rest["clip"]) == ("mini", "a clip")


def test_other_files_are_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    (tmp_path / "text.safetensors").write_text("tokens")
    for name in ("other.safetensors", "text.safetensors"):
        with pytest.raises(ValueError, match="this"):
            read_tokens(tmp_path / name)
