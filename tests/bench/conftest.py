"""The desk of the page's tests, for the benchmark that visits one."""

from ui.conftest import desk

__all__ = ["desk"]
