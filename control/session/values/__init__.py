"""The values of a show by address: where they are held, and those that follow from the player's meters."""
