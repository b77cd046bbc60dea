"""The keys of the ticket, the stop of a position, an order in doubt, and dead letters."""

from __future__ import annotations

from typing import Final

from optconsole.screens.key import Key

DIALOG_KEYS: Final[tuple[Key, ...]] = (
    # --- the ticket
    Key("ticket.send", "enter", "send", "Send", "Send the order; the ticket locks until the engine answers.", "ticket"),
    Key("ticket.yes", "y", "yes", "Yes", "Send a live order.", "ticket", footer=False),
    Key("ticket.close", "escape", "close", "Close", "Close; what was sent goes on.", "ticket"),
    Key("ticket.next", "tab,right", "field(1)", "Field", "The next field.", "ticket"),
    Key("ticket.previous", "shift+tab,left", "field(-1)", "Field back", "The field before.", "ticket", footer=False),
    Key("ticket.more", "up,plus", "nudge(1)", "More", "One lot or one tick more.", "ticket", footer=False),
    Key("ticket.less", "down,minus", "nudge(-1)", "Less", "One lot or one tick less.", "ticket", footer=False),
    Key("ticket.more5", "shift+up,pageup", "nudge(5)", "More by 5", "Five more.", "ticket", footer=False),
    Key("ticket.less5", "shift+down,pagedown", "nudge(-5)", "Less by 5", "Five less.", "ticket", footer=False),
    Key("ticket.mid", "equals_sign", "take('mid')", "Mid", "The middle of the spread.", "ticket"),
    Key("ticket.ask", "a", "take('ask')", "Ask", "Join the best ask.", "ticket"),
    Key("ticket.bid", "b", "take('bid')", "Bid", "Join the best bid.", "ticket"),
    Key("ticket.depth", "l", "ladder", "Depth", "Show or hide five levels of the book.", "ticket"),
    Key("ticket.guard", "g", "extras", "Guard", "Stop, target and parts with the order.", "ticket"),
    Key("ticket.type", "t", "next_type", "Type", "LIMIT, MARKET, SL, SL-M in turn.", "ticket", footer=False),
    Key("ticket.product", "p", "next_product", "Product", "NRML or MIS.", "ticket", footer=False),
    Key("ticket.validity", "v", "next_validity", "Validity", "DAY or IOC.", "ticket", footer=False),
    Key("ticket.account", "A", "next_account", "Account", "The next account.", "ticket", footer=False),
    # --- the stop of a position
    Key("stop.send", "enter", "send", "Set", "Guard the position so.", "stop"),
    Key("stop.close", "escape", "close", "Close", "Close; the guard stays as it is.", "stop"),
    Key("stop.field", "tab,left,right", "other", "Field", "Stop or target.", "stop"),
    Key("stop.more", "up,plus", "nudge(1)", "Tick up", "One tick up.", "stop", footer=False),
    Key("stop.less", "down,minus", "nudge(-1)", "Tick down", "One tick down.", "stop", footer=False),
    Key("stop.more5", "shift+up,pageup", "nudge(5)", "5 ticks up", "Five ticks up.", "stop", footer=False),
    Key("stop.less5", "shift+down,pagedown", "nudge(-5)", "5 down", "Five ticks down.", "stop", footer=False),
    Key("stop.percent", "percent_sign", "propose", "Propose", "25, 30, 40 per cent from the average and on.", "stop"),
    Key("stop.mode", "m", "mode", "Mode", "Who watches: both, the exchange, this engine.", "stop"),
    Key("stop.clear", "d", "clear", "Remove", "Guard the position no longer, after a question.", "stop"),
    # --- an order in doubt
    Key("doubt.read", "r", "read_book", "Read book", "Read the broker's book now, without waiting.", "doubt"),
    Key("doubt.copy", "t", "copy_tag", "Copy tag", "Put the tag in the terminal's clipboard.", "doubt"),
    Key("doubt.release", "l", "release", "Release", "Let entries go on in spite of it, with a reason.", "doubt"),
    Key("doubt.cancel", "c", "cancel", "Cancel", "Cancel it, now that the broker has it.", "doubt", order=True),
    Key("doubt.other", "n", "other", "Next", "The next order in doubt.", "doubt"),
    Key("doubt.close", "escape,q", "close", "Close", "Back to the orders.", "doubt"),
    # --- what the broker said and the book could not take
    Key("letter.replay", "r", "replay", "Hear again", "Have the broker's row taken in once more.", "letters"),
    Key("letter.drop", "d", "drop", "Put away", "Put the row away; the journal keeps it.", "letters"),
    Key("letter.close", "escape,q,enter", "close", "Close", "Back to Health.", "letter", footer=True),
)
