"""A small Functions host for a developer's machine: one process is one instance, with a worker process below it.

It runs the function folders through the worker library that Azure runs them with (`azure-functions-runtime-v1`), so a
folder that loads here loads there, and it delivers HTTP calls, queue messages and timer ticks as the Functions host
does. `python -m local.host --help` lists the options; `local.host.process.HostProcess` starts it from Python.
"""
