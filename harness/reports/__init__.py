"""What people read of records: pages, tables and summaries."""
