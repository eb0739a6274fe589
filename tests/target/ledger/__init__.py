"""What is remembered of CVM from run to run."""
