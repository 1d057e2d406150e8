"""The models that this plugin registers, as lmms-eval reads them: file name -> class name."""

AVAILABLE_MODELS = {"scissor": "Scissor"}
