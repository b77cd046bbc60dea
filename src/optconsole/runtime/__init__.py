"""The composition root: settings, store, feed and broker become a running engine. Only this room knows everybody."""

from optconsole.runtime.headless import run_engine
from optconsole.runtime.house import House, open_house
from optconsole.runtime.inside import start_inside

__all__ = ["House", "open_house", "run_engine", "start_inside"]
