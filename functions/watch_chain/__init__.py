"""Every minute: the chain is watched for 55 seconds, so that the projection lags a second."""
