"""A module that functions find in their layer."""

GREETING = "from the layer"
