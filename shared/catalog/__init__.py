"""What is configured: connections and exports. ``documents`` says what is allowed in them, ``store`` keeps them."""
