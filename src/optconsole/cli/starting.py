"""Options that the console and the engine share: what market plays, from when, how fast."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Final

from optconsole.cli.arguments import Parser, UsageError, count, day, number, speed, time_of_day
from optconsole.engine.model.errors import Refusal
from optconsole.options import RunOptions
from optconsole.paths import home_dir

SCREENS: Final = ("positions", "chain", "orders", "baskets", "today", "risk", "journal", "health")


def add_starting(parser: Parser) -> None:
    """``--replay --speed --from --fresh --hold --until --seed --rate --on --live --screen --ascii``."""
    parser.add_argument("--replay", metavar="FILE", help="play a recorded session instead of the practice market")
    parser.add_argument("--speed", type=speed, default=1.0, metavar="N", help="market seconds per second, or max (1)")
    parser.add_argument("--from", type=time_of_day, dest="start_at", metavar="HH:MM", help="begin at this market time")
    parser.add_argument("--fresh", action="store_true", help="begin a new run of the recording with an empty book")
    parser.add_argument("--hold", action="store_true", help="begin held; `optconsole replay resume` plays on")
    parser.add_argument("--until", type=time_of_day, metavar="HH:MM", help="play to this market time, then hold")
    parser.add_argument("--seed", type=number, metavar="N", help="another practice market; the same seed, the same day")
    parser.add_argument("--rate", type=count, metavar="N", help="quotes a second of the practice market")
    parser.add_argument("--on", type=day, dest="first_day", metavar="DATE", help="first day of a fresh practice market")
    parser.add_argument("--live", action="store_true", help="trade the accounts of config.toml on the real market")
    parser.add_argument("--screen", choices=SCREENS, metavar="NAME", help=f"first screen: {', '.join(SCREENS)}")
    parser.add_argument("--ascii", action="store_true", help="draw without Unicode")


def read_options(args: argparse.Namespace) -> RunOptions:
    """Check what can be checked before anything heavy is loaded. Raises UsageError, Refusal(NO_REPLAY_FILE)."""
    if args.replay is not None and (args.seed, args.rate, args.first_day) != (None, None, None):
        raise UsageError("--seed, --rate and --on belong to the practice market; leave them out with --replay.")
    if args.fresh and args.replay is None:
        raise UsageError("--fresh begins a recording anew; the practice market starts fresh in another --home.")
    if args.start_at is not None and args.until is not None and _clock(args.until) <= _clock(args.start_at):
        raise UsageError(f"--until {args.until} is not after --from {args.start_at}.")
    if args.hold and args.until is not None:
        raise UsageError("--hold and --until exclude each other: one holds at once, the other plays first.")
    played = {
        "--replay": args.replay,
        "--from": args.start_at,
        "--until": args.until,
        "--hold": args.hold or None,
        "--seed": args.seed,
        "--rate": args.rate,
        "--on": args.first_day,
        "--speed": None if args.speed == 1.0 else args.speed,
    }
    steered = next((name for name, value in played.items() if value is not None), None)
    if args.live and steered is not None:
        raise UsageError(f"{steered} steers a market that is played; the real one is taken as it comes with --live.")
    return RunOptions(
        home=home_dir(args.home, os.environ),
        replay=None if args.replay is None else _recording(Path(args.replay)),
        speed=args.speed,
        start_at=args.start_at,
        until=args.until,
        hold=args.hold,
        fresh=args.fresh,
        seed=args.seed,
        rate=args.rate,
        first_day=args.first_day,
        live=args.live,
        screen=args.screen,
        ascii=args.ascii,
    )


def _clock(text: str) -> str:
    return text if text.count(":") == 2 else f"{text}:00"


def _recording(path: Path) -> Path:
    if path.is_dir():
        raise Refusal("NO_REPLAY_FILE", f"{path} is a folder; --replay takes a recorded session's file.")
    try:
        with path.open("rb"):
            return path
    except OSError as failed:
        raise Refusal("NO_REPLAY_FILE", f"The recording {path} cannot be read: {failed.strerror}.") from None
