"""The ground floor: time, ids, chance, rows, errors and bounds. Imports nothing of the project."""
