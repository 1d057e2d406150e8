"""Starts the page: builds it, launches it, nothing else."""

import logging
import os

from scissor.ui.page import build, launch_options

if __name__ == "__main__":
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    build().launch(**launch_options())
