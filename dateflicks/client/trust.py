"""Whom a client trusts: the system's authorities, and those of a file for a server that signed its own certificate."""

import ssl

from dateflicks.client import errors


def trust(ca_file: str = "") -> ssl.SSLContext:
    """A context for connections to servers; it costs 50 ms. Raises DoesNotFit when the file cannot be used."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError as error:  # as SSLError too
            why = "it holds no certificate in PEM" if isinstance(error, ssl.SSLError) else error.strerror
            raise errors.DoesNotFit(f"`ca_file` {ca_file} cannot be used: {why}.") from error
    return context
