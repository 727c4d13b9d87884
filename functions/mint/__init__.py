"""The saga mint: from a closed period to a registered batch."""
