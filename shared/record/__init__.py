"""What is written down: of a run its record, its account, its slices, results and rejects, and who is at work on it;
of an export which run holds it and what is acknowledged. ``step_outcome`` is what a step hands to the worker."""
