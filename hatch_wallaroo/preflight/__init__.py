"""The real runtime runs a bundle before it leaves the machine."""
