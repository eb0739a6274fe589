"""Calls to CVM, one by one."""
