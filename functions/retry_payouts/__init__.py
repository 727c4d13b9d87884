"""Hourly: sellers who could not be paid are tried again, and what waits for a person is counted."""
