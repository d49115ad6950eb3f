"""Messages given to an OSC dispatcher without a socket, from two clients."""

from moodfader.control.osc.packets import Message

HERE = ("127.0.0.1", 5000)
THERE = ("127.0.0.1", 5001)
FADER = "/moodfader/midlevel/modality"
UNDO = "/moodfader/state/undo"  # how many moves can be taken back


def ask(dispatcher, address, *arguments, sender=HERE, now=0.0):
    """The answers to one message."""
    dispatcher.enqueue(Message(address, arguments), sender)
    return dispatcher.apply_pending(now)
