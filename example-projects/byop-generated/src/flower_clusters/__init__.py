"""Sorts flowers into three clusters by the sizes of their leaves."""
