"""`python -m local.demo`: the main job on a sample, without Azure, from the files in the container to the list."""
