"""The table of commands: which module serves a noun, and what it does in one line."""

from __future__ import annotations

from typing import Final

NOUNS: Final[dict[str, tuple[str, str]]] = {
    "engine": ("engine", "run the engine without a screen; prints one line `ready {...}`"),
    "attach": ("attach", "open the screens on a running engine"),
    "status": ("status", "the engine's health, the day's profit, what is open"),
    "positions": ("positions", "open and closed positions of the day"),
    "orders": ("orders", "orders of the day, working ones first"),
    "trades": ("trades", "executions of the day"),
    "accounts": ("accounts", "accounts with their money"),
    "quote": ("quote", "latest quotes of contracts"),
    "chain": ("chain", "the option chain of an underlying"),
    "instruments": ("instruments", "search the listed contracts"),
    "order": ("order", "place, modify, cancel, show, release or adopt one order; tie several together"),
    "stop": ("stop", "show, set or clear the stop and target of a position"),
    "letters": ("letters", "what a broker said that could not be taken into the book"),
    "health": ("health", "what is lost, what goes on, how each account can be reached"),
    "cancel-all": ("cancel_all", "cancel every working order of a scope"),
    "flatten": ("flatten", "cancel and close everything of a scope"),
    "reverse": ("reverse", "close a position and open as much the other way"),
    "kill": ("kill", "latch the kill switch: cancel, flatten, refuse new risk"),
    "release": ("release", "release the kill switch"),
    "basket": ("basket", "bring in, show, start, pause or stop baskets of strategies"),
    "run": ("run", "the day's runs of strategies: show, skip, approve, close, change one"),
    "strategy": ("strategy", "check strategies written as text; the named structures"),
    "payoff": ("payoff", "what a file's strategies make and lose, at expiry and now"),
    "margin": ("margin", "what a file's orders tie up, before, on the way and after"),
    "charges": ("charges", "what is taken of a file's orders in taxes and fees"),
    "market": ("market", "publish signed baskets; subscribe to others' and take their updates in"),
    "risk": ("risk", "show, set or unset limits; say what orders may leave"),
    "secrets": ("vault", "the vault of logins and tokens: init, set, list, forget, rotate"),
    "unlock": ("unlock", "open the vault of a running engine"),
    "panic-revoke": ("panic_revoke", "log out of every broker, wipe all tokens, say what else to revoke"),
    "broker": ("broker", "log in to a broker; what of each broker works; rehearse one"),
    "journal": ("journal", "list, show, verify or export the journal"),
    "db": ("db", "back up, restore or check the store"),
    "calc": ("calc", "prices, implied volatility and Greeks: JSON Lines in, JSON Lines out"),
    "replay": ("replay", "import a recording; pause, resume or move a running replay"),
    "record": ("record", "record the market of a running engine to a file"),
    "doctor": ("doctor", "check this machine and this home"),
    "config": ("config", "show or check the configuration"),
}

CONSOLE: Final = ("console", "the full-screen console, engine inside")
