"""The rules of the collection, pure: what an offer says, which offers are one film, and which of them is best."""
