"""OSC transport: server, validation of packets, subscriptions, OSCQuery; the addresses are in control/parameters."""
