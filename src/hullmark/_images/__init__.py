"""Images, wherever they are: engines, registries, archives and directories."""
