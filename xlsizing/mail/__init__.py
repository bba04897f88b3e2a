"""Mail: drafts, and how they get to a server that sends them."""
