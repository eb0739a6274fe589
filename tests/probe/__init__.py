"""Questions to two real accounts that no public source answers."""
