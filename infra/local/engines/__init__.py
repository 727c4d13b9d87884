"""The engines of one machine, one folder each; ``infra.local.machine`` starts them in order."""
