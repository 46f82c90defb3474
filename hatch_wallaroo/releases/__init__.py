"""One data file a Wallaroo release; adding a release is adding a file."""
