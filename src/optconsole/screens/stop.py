"""The stop dialog: where a position ends, who watches, and how many rupees are at risk before Enter."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from optconsole.engine.commands import AnyCommand, ClearStop
from optconsole.engine.model.positions import Position, PositionKey
from optconsole.engine.model.protection import StopMode
from optconsole.screens.beside import beside
from optconsole.screens.deck import Deck
from optconsole.screens.dialog_keys import key_line
from optconsole.screens.dialogs import Confirm
from optconsole.screens.formats import Formats, age_role
from optconsole.screens.framed import FramedScreen
from optconsole.screens.guard_face import guard_word, reach
from optconsole.screens.keymap import bindings
from optconsole.screens.mirror import Topic
from optconsole.screens.presence import Dialog
from optconsole.screens.stop_model import Level, StopDraft, draft_of
from optconsole.screens.ticket_model import USUAL_TICK
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line, Ribbon

LINES: Final = 11
FIELD: Final = 11
MODES: Final[dict[StopMode, str]] = {
    StopMode.BOTH: "tight here, wide at the exchange",
    StopMode.BROKER: "at the exchange alone",
    StopMode.LOCAL: "here alone, while this engine runs",
}


class StopScreen(Dialog[None]):
    """One position's stop and target. Enter sends; the dialog closes once the engine has taken it."""

    BINDINGS = bindings("stop")

    def __init__(self, deck: Deck, key: PositionKey) -> None:
        super().__init__()
        self.deck = deck
        self.key = key
        self.draft: StopDraft | None = None
        self._said = ""
        self._busy = False
        self._stop = deck.mirror.on(Topic.POSITIONS, self._follow)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Ribbon(LINES, id="dialog-text")
            yield Ribbon(id="dialog-keys")

    def on_mount(self) -> None:
        self.deck.pulse.attach(self)
        position = self._position()
        if position is not None:
            self.draft = self._fresh(position)
        keys = [key for key in self.deck.keymap.of("stop") if key.footer]
        self.query_one("#dialog-keys", Ribbon).show(key_line(self.deck.keymap, keys))
        beside(self, self._learn, exclusive=True)
        self._show()

    def on_unmount(self) -> None:
        self._stop()
        self.deck.pulse.detach(self)

    async def _learn(self) -> None:
        """The tick of the contract, where no screen had asked for it."""
        if self.key.contract not in self.deck.instruments:
            await self.deck.contracts(self.key.contract.split(" ")[0])
        self._show()

    def quote_names(self) -> tuple[str, ...]:
        """The price that the stop is measured from."""
        return (self.key.contract,)

    def on_pulse(self, changed: set[str]) -> None:
        if self.key.contract in changed:
            self._show()

    # ------------------------------------------------------------ content

    def _position(self) -> Position | None:
        held = self.deck.mirror.state.positions.get(str(self.key))
        return held if held is not None and held.qty else None

    def _fresh(self, position: Position) -> StopDraft:
        state, listed = self.deck.mirror.state, self.deck.instruments.get(self.key.contract)
        mark = self.deck.mirror.mark(self.key.contract)
        return draft_of(position, state.protections.get(str(self.key)), listed.tick if listed else USUAL_TICK, mark)

    def _follow(self) -> None:
        if not self.gone and self._position() is None:
            self.dismiss(None)
        else:
            self._show()

    def _now(self) -> StopDraft | None:
        """The draft at the present price and quantity."""
        position = self._position()
        if self.draft is None or position is None:
            return None
        listed = self.deck.instruments.get(self.key.contract)
        tick = listed.tick if listed else self.draft.tick
        known = self.deck.mirror.state.protections.get(str(self.key))
        mark = self.deck.mirror.mark(self.key.contract)
        self.draft = replace(self.draft, position=position, known=known, mark=mark, tick=tick)
        return self.draft

    def _show(self) -> None:
        draft = self._now()
        if self.gone or not self.is_mounted or draft is None:
            return
        told = self._said or draft.problem(self.deck.instruments.get(self.key.contract))
        shown = face(draft, self.deck, told)
        self.query_one("#dialog-text", Ribbon).show(*shown, *[([], [])] * (LINES - len(shown)))

    def _become(self, draft: StopDraft) -> None:
        self.draft, self._said = draft, ""
        self._show()

    # ------------------------------------------------------------ keys

    def on_key(self, event: events.Key) -> None:
        if self.draft is None:
            return
        if event.key in ("backspace", "delete"):
            self._become(self.draft.erase())
        elif event.character is not None and event.character in "0123456789.":
            self._become(self.draft.type_in(event.character))
        else:
            return
        event.stop()

    def on_paste(self, event: events.Paste) -> None:
        """A paste fills the field with a price or does nothing."""
        event.stop()
        text = event.text.strip()
        if self.draft is not None and text and set(text) <= set("0123456789.,"):
            self._become(self.draft.write(text.replace(",", "")[:10]))

    def action_other(self) -> None:
        if self.draft is not None:
            self._become(self.draft.other())

    def action_nudge(self, ticks: int) -> None:
        if self.draft is not None:
            self._become(self.draft.nudge(ticks))

    def action_propose(self) -> None:
        if self.draft is not None:
            self._become(self.draft.propose())

    def action_mode(self) -> None:
        if self.draft is not None:
            self._become(self.draft.next_mode())

    async def action_send(self) -> None:
        draft = self._now()
        if draft is None or self._busy or draft.problem(self.deck.instruments.get(self.key.contract)):
            return
        command = draft.command(self.deck.fresh_id(), "key:stop")
        if draft.loosens and self.deck.mode in ("live", "halted"):
            self._question("Loosen the stop?", command)
        else:
            await self._ask(command)

    def action_clear(self) -> None:
        draft = self._now()
        if draft is None or draft.known is None:
            return
        key = self.key
        command = ClearStop(
            id=self.deck.fresh_id(), actor="key:stop", account=key.account, product=key.product, contract=key.contract
        )
        self._question("Guard it no longer? Its stop at the exchange is cancelled.", command)

    def _question(self, title: str, command: AnyCommand) -> None:
        async def answered(yes: bool | None) -> None:
            if yes:
                await self._ask(command)

        line: Line = ([Part(self.deck.fmt.contract(self.key.contract), "title")], [])
        self.app.push_screen(Confirm(title, (line,)), answered)

    async def _ask(self, command: AnyCommand) -> None:
        self._busy = True
        reply = await self.deck.submit(command)
        self._busy = False
        if self.gone:
            return
        if not reply.ok:
            self._said = f"{reply.text} [{reply.code}]"
            self._show()
            return
        for screen in self.app.screen_stack:
            if isinstance(screen, FramedScreen):
                screen.say(self.deck.fmt.text(reply.text) or "The guard is set.", "good")
        self.dismiss(None)

    def action_close(self) -> None:
        self.dismiss(None)


def face(draft: StopDraft, deck: Deck, told: str) -> list[Line]:
    """The dialog's lines."""
    fmt, position, key = deck.fmt, draft.position, draft.position.key
    quote = deck.mirror.quote(key.contract)
    age = deck.mirror.age(quote)
    word, role = guard_word(position, draft.known)
    side = "buy" if position.qty > 0 else "sell"
    return [
        (
            [Part("STOP  ", "title"), Part(fmt.contract(key.contract), "title")],
            [Part(f" {deck.mode.upper()} ", deck.mode), Part(f" {fmt.text(key.account)} {key.product.value}", "dim")],
        ),
        (
            [
                Part(fmt.lots(position.qty, position.lot), side),
                Part("  avg ", "dim"),
                Part(fmt.price(position.average)),
                Part("  ltp ", "dim"),
                Part(fmt.price(quote.ltp if quote else None), "strong"),
                Part(f"  {fmt.age(age)}", age_role(age)),
            ],
            [Part("now ", "dim"), Part(word, role)],
        ),
        ([], []),
        _field(draft, Level.STOP, fmt),
        _field(draft, Level.TARGET, fmt),
        (
            [
                Part(f"{'mode':<8}", "dim"),
                Part(draft.mode.value.rjust(FIELD), "strong"),
                Part(f"   {MODES[draft.mode]}", "dim"),
            ],
            [],
        ),
        ([], []),
        *_risk(draft, fmt),
        ([], []),
        ([Part(f"{fmt.glyph('✗', 'x')} {fmt.text(told)}", "bad")] if told else [], []),
    ]


def _field(draft: StopDraft, which: Level, fmt: Formats) -> Line:
    here = which is draft.field
    caret = fmt.glyph("▏", "_") if here and draft.typed is not None else " "
    text = draft.text(which) or ("" if here else fmt.unknown)
    role = "bad" if here and draft.unreadable else "cursor" if here else "strong"
    note = f"   {draft.percent} % from the average" if here and draft.percent else ""
    return [Part(f"{which.value:<8}", "dim"), Part((text + caret).rjust(FIELD), role), Part(note, "dim")], []


def _risk(draft: StopDraft, fmt: Formats) -> list[Line]:
    """Rupees at risk: from here to the stop, and what the position will have made there."""
    away = reach(draft.position, draft.stop, draft.mark)
    wide: Line = ([], [])
    if draft.wide is not None:
        where = [Part(f"{'exchange':<8}", "dim"), Part(fmt.price(draft.wide).rjust(FIELD), "strong")]
        note = "wide: acts only where this engine cannot" if draft.mode is StopMode.BOTH else "the stop itself"
        wide = ([*where, Part(f"   {note}", "dim")], [])
    if away is None:
        none = "no stop: nothing bounds the loss" if draft.position.qty < 0 else "no stop: the premium is at risk"
        return [([Part(f"{'risk':<8}", "dim"), Part(none, "warn")], []), wide]
    share = abs(away.loss) / abs(draft.position.cost) if draft.position.cost else None
    return [
        (
            [
                Part(f"{'risk':<8}", "dim"),
                Part(fmt.pnl(away.loss).rjust(FIELD), "down"),
                Part(f"   {fmt.points(away.points)} away", ""),
                Part(f", {fmt.percent(share, 0).lstrip('+')} of premium" if share is not None else "", "dim", 1),
            ],
            [Part("ends at ", "dim"), Part(fmt.pnl(away.total), "up" if away.total > 0 else "down")],
        ),
        wide,
    ]
