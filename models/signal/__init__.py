"""Samples on their way into the network and values on their way out, without torch: clicks, level, soft limit."""
