"""The web surface and OSCQuery: one server in a process of its own, a page for browsers, the tree for controllers."""
