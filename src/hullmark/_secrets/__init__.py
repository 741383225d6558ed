"""What secrets look like, where they are found, and how they are told without being given away."""
