"""The commands around a running show: play, send, monitor, controls, midi, devices."""
