"""Codecs, each the same three functions: to and from linear, and to its sibling."""
