"""The embedded broker: an exchange, a risk desk and a ledger of its own, behind the same port as a live one."""
