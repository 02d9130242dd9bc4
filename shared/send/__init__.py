"""From slices to what is acknowledged: ``import_call`` is one call, ``batch_turns`` the batches of a slice, several of
them in flight, ``merge_acknowledged`` what came of them."""
