"""Where the system is wired: for AWS by CDK, for one machine by ``infra.local``."""
