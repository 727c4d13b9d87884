"""What `make bench` measures: one module a subject, each giving plain numbers."""
