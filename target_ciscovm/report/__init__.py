"""What a run tells people and programs: report, page, table and closing lines."""
