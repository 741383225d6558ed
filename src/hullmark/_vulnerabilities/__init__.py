"""Known vulnerabilities: records in the format of OSV, kept in an indexed store, and which of them an image has."""
