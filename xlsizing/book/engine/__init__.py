"""The sheets Engine and Layouts: what an engine holds, beside the planning method."""
