"""The child process of video.py: one file of a known kind in, sampled frames out.

Apart from the rest so that a decoder which hangs, crashes or is taken over by a hostile file can be
stopped, and so that it starts in a third of a second: nothing here imports torch.
"""
