"""Fetches the pages of one site, politely, and keeps their main text."""
