"""Guest chat: conversations between visitors and support."""
