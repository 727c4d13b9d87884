"""HTTP: organisations, projects, documents, devices, periods, reviews and batches."""
