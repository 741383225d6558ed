"""Cuts documents into chunks, indexes them, and finds them again."""
