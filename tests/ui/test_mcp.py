"""The page is an MCP server exactly where gradio[mcp] is installed."""

import pytest

from scissor.ui.page import launch_options


@pytest.mark.parametrize("there", [True, False])
def test_mcp_is_served_where_it_is_installed(monkeypatch, there):
    monkeypatch.setattr(
        "scissor.ui.page.find_spec", lambda name: "a spec" if there and name == "mcp" else None
    )
    assert launch_options()["mcp_server"] is there
