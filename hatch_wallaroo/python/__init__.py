"""The user's Python, read and never executed: what its names stand for, and what importing it would do."""
