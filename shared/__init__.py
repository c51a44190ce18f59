"""What two or more services need: contracts, the bus, the web layer, and small building blocks."""
