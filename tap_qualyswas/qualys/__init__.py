"""One session to one Qualys platform: requests out, checked answers back."""
