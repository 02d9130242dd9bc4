"""Who has left all segments of an export: who it is, whether they may go, and taking them off the list."""
