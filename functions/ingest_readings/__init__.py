"""Queue readings: messages of gateways are checked and stored."""
