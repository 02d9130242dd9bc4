"""The ports in memory, for quick tests and for simulation: MemoryBlobs, MemoryQueue, MemoryVault and ManualClock.

Never deployed. They do what Azure does where the contract says so, without chance: the same calls give the same worlds.
"""
