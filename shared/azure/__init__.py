"""The ports on Azure: BlobStorage, QueueStorage, KeyVault, and SystemClock and SystemThreads of the machine there.

``function_invocation.carried`` is for the doors: what runs in threads then logs for the invocation that it belongs to.
"""
