"""`waapi`, the command line: everything it does goes through the HTTP API, like any other client's."""
