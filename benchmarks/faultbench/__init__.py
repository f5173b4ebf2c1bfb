"""Parts of the talk's fault bench: a line that is cut, two kinds of clients, a service that dies, and a checker."""
