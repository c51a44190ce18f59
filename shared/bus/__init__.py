"""The bus: one port, RabbitMQ behind it in production, an honest in-memory double in tests."""
