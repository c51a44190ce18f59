"""Examples of the messages on the bus, a file for each module of contracts; `basics` holds what they share."""
