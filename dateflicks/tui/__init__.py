"""The terminal client: a whole evening on one screen. Over the client library; nothing else imports it but the CLI."""
