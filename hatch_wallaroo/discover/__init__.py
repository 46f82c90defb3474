"""Finds the models of a repository, tells what their files and samples say of them, and proposes what to declare."""
