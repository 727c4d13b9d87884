"""Each minute: what waits in books is done, so that no order waits for a stranger's call."""
