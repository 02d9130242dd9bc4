"""The HTTP API: what an administrator, a contributor and a program can ask for."""
