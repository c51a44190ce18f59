"""What the image and docker-compose.yml need beside the services."""
