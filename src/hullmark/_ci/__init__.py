"""What a change touches: git's changes against the inputs of each image, and digests of those inputs."""
