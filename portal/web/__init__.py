"""Page chrome: layout, components, headers, error page."""
