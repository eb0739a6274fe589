"""Calls to Qualys: logins, answers, errors, waits."""
