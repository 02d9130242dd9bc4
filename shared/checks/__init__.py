"""What can be tried without a run: a connection, an export before its first run, and how the app itself is."""
