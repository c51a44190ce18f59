"""The whole product as real processes under a directory of its own, for tests that drive it from outside."""
