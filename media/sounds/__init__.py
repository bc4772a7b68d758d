"""The shipped sounds: ``welcome.ulaw`` and ``music.ulaw`` (G.711 u-law, 8 kHz), made by ``compose``."""
