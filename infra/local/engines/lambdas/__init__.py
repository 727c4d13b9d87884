"""Lambda on one machine: AWS's own runtime client in warm processes, one pool per function."""
