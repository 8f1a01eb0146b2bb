"""The staff desk: inquiries and conversations, read and answered."""
