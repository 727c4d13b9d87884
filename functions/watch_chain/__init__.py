"""Every minute: the chain is watched for 70 seconds, so that the projection lags a second."""
