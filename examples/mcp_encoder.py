"""A tool of an MCP server as an encoder. The server here is our own (`consilience mcp`); any other will do."""

import sys
from pathlib import Path

from consilience.tools.mcp import mcp_encoder

from consilience import ask

media = Path(__file__).parent / "media"

signs = mcp_encoder(
    server=[str(Path(sys.executable).with_name("consilience")), "mcp", "--tool", "image.text"],
    tool="image_text",
    modality="image",
    kinds=("text",),
    argument="base64",
    name="image.text",  # in the place of the ready one
)

if __name__ == "__main__":
    print(ask("Where does the book club meet?", [media / "scene.png"], encoders=[signs]))
