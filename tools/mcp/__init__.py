"""Encoders over the Model Context Protocol, both ways."""
