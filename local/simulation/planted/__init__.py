"""Mistakes that somebody could make, planted into a copy of the engine: the simulation is graded by those it finds."""
