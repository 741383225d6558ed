"""The HTML report: its template, what goes into that, and what makes it move."""
