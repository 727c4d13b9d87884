"""What becomes of a gateway's message: opened and checked by itself, then decided against what is kept."""
