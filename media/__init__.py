"""Media: RTP streams, their relay, their mixing, and what is played into them. Imports only the kernel.

The face is :mod:`media.plane` (in the switch); what a stream computes is driven by the media worker's socket
loop.
"""
