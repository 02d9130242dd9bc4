"""From profiles to slices. ``planner`` is the whole of it; the others are its parts, in the order of the data:
columns, mapping, duplicates, changes, and the names of segments that go into a field of the list."""
