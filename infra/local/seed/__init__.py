"""Fills the market of one machine: credits of a registry's file, and agents who trade them for a day."""
