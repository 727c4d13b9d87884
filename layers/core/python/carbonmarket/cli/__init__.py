"""The auditor's commands: verify a certificate, keep a list of trusted keys."""
