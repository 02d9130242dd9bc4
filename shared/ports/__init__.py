"""What the product needs of the outside, as it needs it: blobs, a queue, a clock, threads, a vault, a destination.

Each port is a Protocol whose comments are the contract. Azure's side is in ``shared/azure``, the service's in
``shared/campaign_monitor``, and one in memory is in ``local/memory``; tests/test_ports_*.py hold all of them to it.
"""
