"""Inventories as documents that other programs read, and such documents as inventories."""
