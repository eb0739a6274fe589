"""Where findings come from: the finding search or downloaded scan reports."""
