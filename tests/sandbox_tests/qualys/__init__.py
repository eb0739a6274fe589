"""The model of Qualys, asked by hand."""
