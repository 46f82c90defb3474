"""Plan, check, pack: the bundle and its manifest."""
