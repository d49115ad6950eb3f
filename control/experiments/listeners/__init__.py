"""How the weights of the linear listeners were made (engine/steering/listeners.py)."""
