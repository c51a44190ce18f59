"""Every message that travels on the bus: frozen models with literal, versioned wire names."""
