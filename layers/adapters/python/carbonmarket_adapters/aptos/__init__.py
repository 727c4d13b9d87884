"""Aptos: signers, sequence leases, stored bytes, sponsorship and the node's REST API."""
