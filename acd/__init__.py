"""Distribution: seats, offers, matching. Imports kernel, queues and policies; knows nothing of signalling.

The face is :mod:`acd.engine`.
"""
