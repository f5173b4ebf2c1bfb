"""The session service: people, the handshake between them, invitations, and what they watched."""
