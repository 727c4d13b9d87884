"""Daily: serial ranges, supply on chain and projection are compared, and the result published."""
