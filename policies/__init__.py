"""Policies: pure rankings of candidates, where outsiders add code. Imports kernel and queues only."""
