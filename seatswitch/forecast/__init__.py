"""Forecast: the engine and its policies in virtual time, with callers and agents drawn at random.

Pure like the floors below it: scenario in, figures out. Files, processes, plots and the source of random
numbers are the shell's.
"""
