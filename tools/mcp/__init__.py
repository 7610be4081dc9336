"""The Model Context Protocol both ways: tools of MCP servers as encoders, and our encoders as tools of a server."""

from consilience.tools.mcp.declaring import mcp_encoder

__all__ = ["mcp_encoder"]
