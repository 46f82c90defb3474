"""A local Wallaroo on the loopback interface: to try, to work offline, to test what a publisher does."""
