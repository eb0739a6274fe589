"""What both plugins share: settings, files with secrets, dates, progress, how a command ends."""
