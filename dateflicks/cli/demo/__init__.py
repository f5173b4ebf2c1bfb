"""The demo: two people, two players and real services on this machine, and an observer who trusts none of them."""
