"""How fast the product is, how much it takes, and what others need for the same work. Never deployed."""
