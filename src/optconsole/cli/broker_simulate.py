"""``optconsole broker simulate``: a broker's own wire on loopback, with a played market behind it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Final

from optconsole.cli.arguments import Parser, UsageError, count, day, number, speed, time_of_day
from optconsole.cli.output import Output
from optconsole.paths import home_dir

BROKERS: Final = ("zerodha", "angelone", "shoonya")
REDIRECTING: Final = ("zerodha", "shoonya")
HIGHEST_PORT: Final = 65_535


def arguments(parser: Parser) -> None:
    """Options of the verb."""
    parser.description = (
        "Serve a broker's REST and WebSocket wire on 127.0.0.1, with a paper exchange behind it. Prints one line "
        "`ready {...}` with its URLs, test credentials and control endpoint; point an account at it by rest_url and "
        "ws_url in config.toml. SIGINT or SIGTERM stops it. Each start begins with an empty book."
    )
    parser.add_argument("broker", choices=BROKERS, metavar="BROKER", help=", ".join(BROKERS))
    parser.add_argument("--port", type=_port, default=0, metavar="N", help="listen here (any free port)")
    parser.add_argument("--tls", action="store_true", help="over TLS, by an authority made for this rehearsal")
    parser.add_argument("--faults", metavar="FILE", help="faults from the start on, as TOML or JSON")
    parser.add_argument("--replay", metavar="FILE", help="play a recorded session instead of the practice market")
    parser.add_argument("--speed", type=speed, default=1.0, metavar="N", help="market seconds per second (1)")
    parser.add_argument("--from", type=time_of_day, dest="start_at", metavar="HH:MM", help="begin at this market time")
    parser.add_argument("--on", type=day, dest="first_day", metavar="DATE", help="day of the practice market")
    parser.add_argument("--seed", type=number, metavar="N", help="another practice market; the same seed, the same day")
    parser.add_argument("--rate", type=count, metavar="N", help="quotes a second of the practice market")
    parser.add_argument("--redirect", metavar="URL", help="where the login page returns to (zerodha, shoonya)")
    parser.add_argument("--postback", metavar="URL", help="where changes of orders are posted (zerodha)")


def run(args: argparse.Namespace, out: Output) -> int:
    """Serve in this process until told to stop. Raises UsageError, Refusal."""
    if args.replay is not None and (args.seed, args.rate, args.first_day) != (None, None, None):
        raise UsageError("--seed, --rate and --on belong to the practice market; leave them out with --replay.")
    if args.redirect is not None and args.broker not in REDIRECTING:
        raise UsageError(f"{args.broker} has no login page to return from; leave --redirect out.")
    if args.postback is not None and args.broker != "zerodha":
        raise UsageError("Only zerodha posts changes of orders; leave --postback out.")
    from optconsole.runtime.rehearsal import RehearsalOptions, run_rehearsal  # after the options: it takes a second

    return run_rehearsal(
        RehearsalOptions(
            home=home_dir(args.home, os.environ),
            broker=args.broker,
            port=args.port,
            tls=args.tls,
            faults=None if args.faults is None else Path(args.faults),
            replay=None if args.replay is None else Path(args.replay),
            speed=args.speed,
            start_at=args.start_at,
            day=args.first_day,
            seed=args.seed if args.seed is not None else 1,
            rate=args.rate,
            redirect=args.redirect,
            postback=args.postback,
        )
    )


def _port(text: str) -> int:
    value = number(text)
    if value > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give 1 to {HIGHEST_PORT}, or 0 for any free one.")
    return value
