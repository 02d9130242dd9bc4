"""From slices to what is acknowledged: ``imports`` is one import call, ``in_flight`` many, ``confirmation`` what
came of them."""
