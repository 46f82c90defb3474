"""What a check found, as others want to read it: people, programs, code scanners, GitHub."""
