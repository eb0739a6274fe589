"""Findings out of report files that a person exported, without a call to Qualys."""
