"""HTTP: readings, rejects, anchors and proofs."""
