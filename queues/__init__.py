"""Queues: waiting calls and their rules, as data without decisions. Imports only the kernel."""
