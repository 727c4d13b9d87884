"""What the market does: one verb a file."""
