"""Named endpoints: what the page does, for programs. Typed, small results.

Knows names, types and limits of the endpoints. Leaves the work to desk.py.
"""

from __future__ import annotations

from scissor.ui.desk import Desk


def publish(desk: Desk) -> None:
    """Add the endpoints to the Blocks being built."""
