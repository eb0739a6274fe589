"""The command line of the sandbox: its options, the days it plays, what it keeps."""
