//! Records that a player has completed the game.
