"""What replaces the outside world on a developer's machine; never deployed."""
