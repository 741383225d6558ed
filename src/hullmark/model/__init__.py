"""Values and protocols that everything else speaks in; imports nothing but errors."""
