"""The keys of baskets, of their runs, of the day's timeline and of the builder."""

from __future__ import annotations

from typing import Final

from optconsole.screens.key import Key

RUN_KEYS: Final[tuple[Key, ...]] = (
    # --- a basket
    Key(
        "baskets.open",
        "enter,space",
        "open_row",
        "Open",
        "Show or hide what is inside the row.",
        "baskets",
        footer=False,
    ),
    Key("baskets.new", "n", "new", "New", "A new basket from a structure such as a short straddle.", "baskets"),
    Key("baskets.edit", "e", "edit", "Edit", "Change the basket; of a run under way its rules.", "baskets"),
    Key(
        "baskets.preview",
        "P",
        "preview",
        "Preview",
        "Contracts, worst case, margin and orders if it entered now.",
        "baskets",
    ),
    Key("baskets.start", "t", "start", "Start", "Run it by its schedule from now on.", "baskets", order=True),
    Key("baskets.pause", "p", "pause", "Pause", "Begin nothing new; what runs goes on.", "baskets"),
    Key("baskets.stop", "o", "stop_basket", "Stop", "Begin nothing any more; what is open stays guarded.", "baskets"),
    Key(
        "baskets.exit",
        "x",
        "exit_row",
        "Exit",
        "Close the leg, the run or the whole basket, after a question.",
        "baskets",
        order=True,
    ),
    Key("baskets.clone", "y", "clone", "Clone", "Save it once more under another name.", "baskets"),
    Key("baskets.import", "i", "import_file", "Import", "Bring a basket in from a file.", "baskets"),
    Key("baskets.export", "E", "export", "Export", "Write the basket to a file.", "baskets"),
    Key("baskets.archive", "A", "archive", "Archive", "Put a basket that does not run out of sight.", "baskets"),
    Key(
        "baskets.archived", "v", "show_archived", "Archived", "Show or hide archived baskets.", "baskets", footer=False
    ),
    # --- one run
    Key("run.now", "r", "run_now", "Run now", "Begin the run before its time.", "runs", order=True),
    Key("run.approve", "a", "approve", "Approve", "Let the run enter that asks you.", "runs", order=True),
    Key("run.skip", "K", "skip", "Skip", "Let the run go before it has begun.", "runs"),
    Key("run.halt", "H", "halt", "Halt", "Enter nothing more; once more lets it enter again.", "runs"),
    # --- the day
    Key("today.exit", "x", "exit_row", "Exit", "Close the run, after a question.", "today", order=True),
    Key("today.past", "v", "past", "Past", "Show or hide what is over.", "today"),
    Key("today.now", "c", "now", "Now", "Go to what comes next.", "today"),
    # --- the builder: characters go into the field, so its own keys are none
    Key("builder.save", "ctrl+s", "save", "Save", "Save what is built; a fault is shown where it is.", "builder"),
    Key("builder.close", "escape", "leave", "Back", "Leave; asks where something was changed.", "builder"),
    Key("builder.preview", "ctrl+r", "preview", "Preview", "What it would trade now, and what that asks.", "builder"),
    Key("builder.leg", "ctrl+n", "add_leg", "Leg", "One more leg.", "builder"),
    Key("builder.twin", "ctrl+y", "twin", "Clone", "The leg, account or strategy once more.", "builder"),
    Key("builder.clear", "delete", "clear", "Clear", "Empty the field; on a head, take all of it away.", "builder"),
    Key("builder.account", "ctrl+a", "add_account", "Account", "One more account.", "builder"),
    Key("builder.strategy", "ctrl+o", "add_strategy", "Strategy", "One more strategy.", "builder"),
    Key("builder.faults", "ctrl+f", "faults", "Faults", "Everything that is wrong, with its lines.", "builder"),
    Key("builder.file", "ctrl+t", "show_file", "File", "The file in place of the form.", "builder"),
)
