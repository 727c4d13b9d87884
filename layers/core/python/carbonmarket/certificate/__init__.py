"""The retirement certificate: a verifiable credential, its evidence and its printed form."""
