"""What a team would use instead, each in a process of its own with its own dependencies (bench/requirements.txt)."""
