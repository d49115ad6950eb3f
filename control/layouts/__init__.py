"""Layouts for controllers, made from the table of parameters: Open Stage Control, TouchOSC, REAPER."""
