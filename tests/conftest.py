"""What many tests want: few threads, a small clip, a look at what is left behind."""

import tempfile

import pytest
import torch
from hypothesis import settings
from makeclips import write_clip

settings.register_profile("patient", deadline=None)  # machines of the suite may be busy
settings.load_profile("patient")


@pytest.fixture(autouse=True, scope="session")
def few_threads():
    """Two cores are what everyone has; more threads on tiny tensors only wait for each other."""
    torch.set_num_threads(2)


@pytest.fixture(scope="module")
def one_thread():
    """For the tiniest tensors, on which even two threads only wait for each other."""
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(2)


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """An MP4 (H.264) of 60 numbered frames, 2.4 seconds."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture
def room(tmp_path, monkeypatch):
    """The temporary folder of a test, in which nothing may stay."""
    folder = tmp_path / "room"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert not list(folder.iterdir())
