"""What the operations need of the world, as protocols; adapters fulfil them."""
