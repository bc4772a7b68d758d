"""Policies: pure rankings of candidates. The place where outsiders add code; imports kernel and queues only."""
