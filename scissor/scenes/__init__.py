"""Synthetic clips with known content: for the evaluation, training, examples and tests."""

from scissor.scenes.dice import Dice
from scissor.scenes.exam import Clip, exam, make_clip
from scissor.scenes.library import Library, exam_library
from scissor.scenes.questions import KINDS, Question, ask, sample_clip
from scissor.scenes.render import clip, render
from scissor.scenes.scene import Actor, Scene, frame_times, sample_scene
from scissor.scenes.scoring import Reader, overlap, score

__all__ = [
    "KINDS",
    "Actor",
    "Clip",
    "Dice",
    "Library",
    "Question",
    "Reader",
    "Scene",
    "ask",
    "clip",
    "exam",
    "exam_library",
    "frame_times",
    "make_clip",
    "overlap",
    "render",
    "sample_clip",
    "sample_scene",
    "score",
]
