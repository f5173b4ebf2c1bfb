"""One app around the services: routes and problems, TLS, health, metrics, documents; knows no rules of any of them."""
