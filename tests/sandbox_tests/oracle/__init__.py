"""The judge of tap and target together: what it holds against a sync, and what it does not."""
