"""What runs the product on one machine: servers without Docker, a supervisor, and the stand-in for Meta."""
