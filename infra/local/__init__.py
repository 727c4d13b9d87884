"""The same system on one machine: every engine is a real one and listens on loopback only."""
