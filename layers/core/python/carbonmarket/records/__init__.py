"""What the market keeps: immutable records, one module per context."""
