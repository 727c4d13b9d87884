"""What repeats in the stacks."""
