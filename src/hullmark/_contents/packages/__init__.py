"""The databases of packages that an image holds, read from what was kept of them."""
