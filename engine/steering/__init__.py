"""Listeners, handles and the solver: gain fields that move what is heard by as much as was asked."""
