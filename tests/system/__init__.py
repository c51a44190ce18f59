"""The whole product, driven from outside: real processes, real broker and database, HTTP at both ends."""
