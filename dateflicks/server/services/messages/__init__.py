"""The messages service: chat, reactions, and what the film did, told in one order and kept."""
