"""What was measured of the images and the stack, kept over time."""
