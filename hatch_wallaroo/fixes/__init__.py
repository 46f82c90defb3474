"""What `check --fix` does: where a finding can be mended in one way only, the change as a value, shown, then made."""
