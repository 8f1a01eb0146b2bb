"""The documentation hub: guides, reference, error catalogue, changelog and search."""
