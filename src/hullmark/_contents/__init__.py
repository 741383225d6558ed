"""What is in an image: its files, whose they are, and what brought them."""
