"""The localnet: the real Move compiler and Move VM behind the Aptos REST API."""
