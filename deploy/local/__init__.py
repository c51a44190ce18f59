"""The whole product on one machine without Docker: MongoDB, RabbitMQ, the sandbox and all services.

`python -m deploy.local run` brings everything up in the foreground; `Stack` is the same for tests, under any
directory and on any ports.
"""
