"""The report of an evaluation: record, Markdown page, figures."""
