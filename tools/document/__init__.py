"""Encoders of documents."""
