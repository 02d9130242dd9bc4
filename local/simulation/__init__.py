"""The simulated world: the product's own engine on simulated ports, days in a second, the same from the same seed.

A seed makes a world: segments and refreshes, exports and lists, an operator, and everything that can go wrong. When
it has come to rest, oracles that share no code with the engine say what was not true of it.
"""
