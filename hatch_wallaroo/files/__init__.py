"""The user's files: enumerated safely, judged by name and content, never walked by accident."""
