"""One stack per concern: what is kept, what runs, what calls it, what the world reaches, what is watched."""
