"""What adapters to real brokers share: requests, sockets, pacing, trust, and what each of them offers."""
