"""What the app promises when machines die, messages are lost and Campaign Monitor fails, tried on real processes.

`python -m local.faults --help` lists the options. Nothing of the app is replaced: it runs in the local host, on
Azurite, against the stand-in for Campaign Monitor, and is watched from outside.
"""
