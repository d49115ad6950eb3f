"""OSC in and out: server, validation of packets, subscriptions, OSCQuery, client, controller layouts."""
