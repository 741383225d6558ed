"""From a version to published images: plan, build, gate, publish, follow up."""
