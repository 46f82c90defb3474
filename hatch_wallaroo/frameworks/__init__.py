"""One module a framework family: which files, which schemas, what its header tells."""
