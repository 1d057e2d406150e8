"""The embedded model's modules: tower, reader, place embedding and decoder, and their one file.

Knows how the parts fit together and how they are built, saved and loaded. Leaves the contract that
every video language model keeps to models/mini.py, and making the weights to training/.
"""

from scissor.mini.config import Config
from scissor.mini.loading import load, save
from scissor.mini.model import Mini, build

__all__ = ["Config", "Mini", "build", "load", "save"]
