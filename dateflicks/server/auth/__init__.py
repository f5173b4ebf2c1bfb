"""Who is calling: passwords, signed user tokens and tickets, and the key that signs them."""
