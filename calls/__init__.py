"""Calls: legs, bridges, routing, verdicts. Imports kernel, sip and media; knows nothing of distribution.

The face is :mod:`calls.switchboard`.
"""
